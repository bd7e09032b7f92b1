"""Shortcuts: properties other than the subject that give the classes of a dataset away."""

from collections.abc import Sequence
from dataclasses import dataclass

from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import Entry
from lightning_app.commands.prepare.check.shortcuts.answers import Answer, answer_all
from lightning_app.commands.prepare.check.shortcuts.questions import questions_on
from lightning_app.commands.prepare.check.shortcuts.sample import sample_of


@dataclass(frozen=True)
class Shortcuts:
    """All answers, and the images that they are about.

    Attributes:
        images: Entries of the sampled images; empty if there are too few to ask.
        answers: One for each question.
        num_classes: Classes that were asked for.
    """

    images: Sequence[Entry] = ()
    answers: Sequence[Answer] = ()
    num_classes: int = 0


def find_shortcuts(entries: Sequence[Entry], facts: Sequence[ImageFacts]) -> Shortcuts:
    """Ask by what the classes can be told apart.

    Args:
        entries: All images of the dataset.
        facts: The properties of each image.
    """
    sampled = sample_of([*zip(entries, facts, strict=True)])
    if not sampled:
        return Shortcuts()
    images = [entry for entry, _ in sampled]
    labels = [entry.label for entry in images]
    answers = answer_all(questions_on([of_file for _, of_file in sampled]), labels)
    return Shortcuts(images, answers, len(set(labels)))
