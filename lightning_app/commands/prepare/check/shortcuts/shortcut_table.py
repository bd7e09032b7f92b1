"""Table of what was asked: how well each property predicts the class."""

from collections.abc import Sequence

from lightning_app.commands.prepare.check.shortcuts.answers import Answer
from lightning_app.commands.prepare.check.shortcuts.shortcut_findings import is_suspicious
from lightning_app.commands.prepare.check.shortcuts.shortcuts import Shortcuts

COLUMNS = ("told by", "accuracy", "95 % interval", "best for class", "its images", "the others")


def shortcut_title(shortcuts: Shortcuts) -> str:
    """What the table shows, in a sentence."""
    images, classes = len(shortcuts.images), shortcuts.num_classes
    return (
        f"What tells the classes apart, asked of {images:,} images of {classes} classes "
        f"(balanced accuracy; {1 / classes:.0%} by chance)"
    )


def shortcut_rows(shortcuts: Shortcuts) -> list[Sequence[str]]:
    """A row for each question, with a `!` before what is suspicious."""
    return [_row(answer) for answer in shortcuts.answers]


def _row(answer: Answer) -> Sequence[str]:
    best, accuracy = answer.classes[0], answer.accuracy
    told = best.told.low > 0  # otherwise no class is recognised better than by chance
    suspicious = any(is_suspicious(answer, found) for found in answer.suspects)
    return (
        f"{'! ' if suspicious else ''}{answer.question.name}",
        f"{accuracy.value:.0%}",
        f"{100 * accuracy.low:.0f} to {100 * accuracy.high:.0f}",
        best.label if told else "none",
        f"{best.recognised:.0%}" if told else "",
        f"{best.mistaken:.0%}" if told else "",
    )
