"""Findings about shortcuts: what cannot belong to the subject, and what may."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from lightning_app.commands.prepare.check.findings import Exhibit, Finding, about
from lightning_app.commands.prepare.check.shortcuts.answers import Answer, ClassAnswer
from lightning_app.commands.prepare.check.shortcuts.questions import WHOLE
from lightning_app.commands.prepare.check.shortcuts.shortcuts import Shortcuts

MIN_TOLD = 0.2  # lower end: of 100 images of a class at least 20 more are recognised than by chance
MIN_PART, MIN_EXCESS = 0.6, 0.3  # of a part, and how much more than parts like it
MAX_NAMED = 3  # classes in a title

FILE_ADVICE = (
    "Such a fact of the file is no property of the subject, but what comes with it (sharpness, "
    "noise, proportions, traces of compression) is visible to the network, which may learn it "
    "instead. Save all images in one way, or take those of each class from the same sources."
)
PART_ADVICE = (
    "No part like it says as much, so the scene is hardly the reason. Look for a watermark, a date "
    "or a frame there; crop it off or cover it in all images, or the network will learn it instead."
)
PICTURE_ADVICE = (
    "These may be properties of the subject, as blue is of the sea, and then no fault. If they "
    "come from how the photographs were taken, vary them: other photographs, or augmentation of "
    "colour. The file size belongs here since more detail takes more bytes."
)


def shortcut_findings(shortcuts: Shortcuts) -> list[Finding]:
    """A warning for each suspicious property, and a note on those that may be the subject's."""
    harmless = []
    findings: list[Finding] = []
    for answer in shortcuts.answers:
        if found := [each for each in answer.suspects if is_suspicious(answer, each)]:
            findings += _warning(shortcuts, answer, found)
        elif answer.question.name != WHOLE and _told(answer):
            harmless.append(answer)
    harmless.sort(key=lambda answer: answer.accuracy.value, reverse=True)
    return [
        *findings,
        *about(
            "note",
            "Simple properties of the pictures that tell classes apart",
            PICTURE_ADVICE,
            [Exhibit(answer.question.name, _best(shortcuts, answer)) for answer in harmless],
        ),
    ]


def is_suspicious(answer: Answer, suspect: ClassAnswer) -> bool:
    """Whether one of the `suspects` of an answer is recognised well enough for a warning."""
    excess = suspect.excess
    if suspect.told.low < MIN_TOLD or excess is None:
        return suspect.told.low >= MIN_TOLD
    by_itself = next(own for own in answer.classes if own.label == suspect.label)
    return (
        min(suspect.told.value, by_itself.told.value) >= MIN_PART
        and excess.value >= MIN_EXCESS
        and excess.low > 0
    )


def _told(answer: Answer) -> list[ClassAnswer]:
    return [found for found in answer.classes if found.told.low >= MIN_TOLD]


def _warning(
    shortcuts: Shortcuts, answer: Answer, found: Sequence[ClassAnswer]
) -> Iterator[Finding]:
    best, question = found[0], answer.question
    how = "how it differs from what is next to it" if best.excess else "it"
    said = f"{rates(best)} are recognised by {how} alone"
    exhibits = _exhibits(shortcuts, answer, found[: 2 if shortcuts.num_classes == 2 else 1])
    advice = FILE_ADVICE if question.kind == "file" else PART_ADVICE
    yield from about(
        "warning", _title(shortcuts, question.name, found), f"{said}. {advice}", exhibits
    )


def _exhibits(
    shortcuts: Shortcuts, answer: Answer, shown: Sequence[ClassAnswer]
) -> Iterator[Exhibit]:
    """Images of one class, or of two in turn, the most certain first."""
    values = answer.question.values
    for pair in zip_longest(*(found.images for found in shown)):
        for k in pair:
            if k is not None:
                entry = shortcuts.images[k]
                yield Exhibit(entry.name, values[k] if values else entry.label, entry)


def _title(shortcuts: Shortcuts, name: str, found: Sequence[ClassAnswer]) -> str:
    place = name if name in ("dimensions", "format and compression") else f"the {name}"
    if shortcuts.num_classes == 2:
        first, second = sorted(each.label for each in found[:2]) if len(found) > 1 else _both(found)
        return f"{first} and {second} can be told apart by {place}"
    named = ", ".join(each.label for each in found[:MAX_NAMED])
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return f"{named}{more} can be told by {place}"


def _both(found: Sequence[ClassAnswer]) -> tuple[str, str]:
    return found[0].label, "the other class"


def rates(found: ClassAnswer) -> str:
    """How often a class is recognised, in words."""
    return (
        f"{found.recognised:.0%} of the images of {found.label} and "
        f"{found.mistaken:.0%} of the others"
    )


def _best(shortcuts: Shortcuts, answer: Answer) -> str:
    label = "both" if shortcuts.num_classes == 2 else answer.classes[0].label
    return f"{answer.accuracy.value:.0%} right, by chance {answer.chance:.0%}; best: {label}"
