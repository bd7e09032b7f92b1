"""Class labels: how a sample submission writes the classes, in column names and in cells."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

WHOLE = re.compile(r"-?\d+(\.0+)?")
WIDTHS = (1, 2, 3)  # digits of numbers with leading zeros


class ClassLabels(NamedTuple):
    """How the K classes are written.

    Attributes:
        labels: What stands for each class, in the order of the classes.
        description: What these are.
        affixes: What stands before and behind each of them in the sample.
    """

    labels: list[str]
    description: str
    affixes: tuple[str, str] = ("", "")


def possible_labels(class_names: Sequence[str]) -> Iterator[ClassLabels]:
    """All ways to write classes, the most exact one first: names, numbers from 0, from 1."""
    yield ClassLabels([*class_names], "names of classes")
    for first in (0, 1):
        for width in WIDTHS:
            labels = [f"{first + number:0{width}d}" for number in range(len(class_names))]
            yield ClassLabels(labels, numbered(class_names, first))


def numbered(class_names: Sequence[str], first: int) -> str:
    """Description of numbers that stand for classes."""
    last = first + len(class_names) - 1
    return f"numbers of classes, {first} for {class_names[0]} to {last} for {class_names[-1]}"


def find_labels(texts: Sequence[str], class_names: Sequence[str]) -> list[ClassLabels]:
    """Find the texts that stand for the classes, such as the columns `prob_cat` and `prob_dog`.

    Args:
        texts: Texts, most of which may stand for something else.
        class_names: Names of the classes.

    Returns:
        The sets of texts that are possible; `labels` are from the texts. More than one: ambiguous.
    """
    for normal in (str, _loose):
        own = {normal(text): text for text in texts}
        spelled = [normal(name) for name in class_names]
        if len(own) < len(set(texts)) or len(set(spelled)) < len(spelled):
            continue
        for way, labels in zip(possible_labels(class_names), possible_labels(spelled), strict=True):
            if found := [*_sets(labels.labels, own, way.description)]:
                return found
    return []


def _sets(labels: Sequence[str], own: dict[str, str], description: str) -> Iterator[ClassLabels]:
    """The sets of texts that are these labels with equal affixes."""
    for before, behind in _affixes(labels[0], [*own]):
        wanted = [before + label + behind for label in labels]
        if own.keys() >= {*wanted}:
            yield ClassLabels([own[text] for text in wanted], description, (before, behind))


def missing_labels(texts: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """Names of the classes that no text stands for, where texts stand for two others or more."""
    for way in possible_labels(class_names):
        affixes = {pair for label in way.labels for pair in _affixes(label, texts)}
        for before, behind in sorted(affixes):
            there = [before + label + behind in texts for label in way.labels]
            if 2 <= sum(there) < len(there):
                return [n for n, known in zip(class_names, there, strict=True) if not known]
    return []


def labels_of_answers(answers: Sequence[str], class_names: Sequence[str]) -> ClassLabels:
    """How answers are written: as numbers if the sample has these, and no names that are numbers.

    Numbers start at 0, or at 1 if the sample has the number of classes, and no 0.

    Raises:
        ValueError: If a number is larger than that of any class.
    """
    named_so = all(name.isdigit() for name in class_names)
    if named_so or not answers or not all(WHOLE.fullmatch(answer) for answer in answers):
        return ClassLabels([*class_names], "names of classes")
    numbers, count = {int(float(answer)) for answer in answers}, len(class_names)
    if max(numbers) > count:
        raise ValueError(f"its answer {max(numbers)} is no number of the {count} classes.")
    first = int(max(numbers) == count)
    if first and min(numbers) < 1:
        raise ValueError(f"its answers {min(numbers)} to {count} are more than {count} classes.")
    labels = [str(first + number) for number in range(count)]
    return ClassLabels(labels, numbered(class_names, first))


def _affixes(label: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """What stands before and behind a label in the texts that contain it."""
    return sorted(
        {
            (text[: match.start()], text[match.start() + len(label) :])
            for text in texts
            for match in re.finditer(f"(?={re.escape(label)})", text)
        }
    )


def _loose(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())
