"""Sections of a model card on its limits, and on how far its explanations can be trusted."""

from collections.abc import Sequence

from lightning_app.cli.model_card.tables import table
from lightning_app.pages.doubt_notes import doubt_notes
from lightning_app.pages.words import Words
from lightning_app.store.copy_scores import CopyScores, copy_scores
from lightning_app.store.describe_run import SplitSummary, class_names_of
from lightning_app.store.run_scores import SPLITS, Result
from lightning_app.store.stored_run import StoredRun

WORDS = Words("en")
SANITY = "honesty"  # name of the picture with the sanity checks
CHECKS = ("deletion", "insertion", "randomization")
WHAT = (
    "Deletion and insertion are areas under curves of the probability. Randomization is the rank "
    "correlation of the maps with those of random weights."
)
FEW = 30  # training images of a class
MOST_NAMED = 20  # such classes


def explanations(record: StoredRun) -> str:
    """Sanity checks of the explanations: deletion, insertion, randomization of the weights."""
    for split in SPLITS:
        start = f"{split}/{SANITY}_"
        found = [key.removeprefix(start) for key in record.metrics if key.startswith(start)]
        rows = [
            (method, *(_number(record, f"{start}{method}_{check}") for check in CHECKS))
            for method in sorted({each.rpartition("_")[0] for each in found})
        ]
        if rows:
            shown = table(["method", *(f">{check}" for check in CHECKS)], rows)
            doubts = doubt_notes(record.table(f"tables/{SANITY}_{split}.json"), WORDS)
            said = "".join(f"**{doubt}**\n\n" for doubt in doubts)
            return f"{said}Sanity checks, images: {WORDS['splits'][split]}. {WHAT}\n\n{shown}"
    return ""


def limits(record: StoredRun, splits: Sequence[SplitSummary], results: Sequence[Result]) -> str:
    """What follows from the numbers about how far they reach."""
    found = []
    if names := class_names_of(splits):
        found.append(
            f"The answer is always one of the {len(names):,} classes. An image of something else "
            "is only marked if it is unlike all that the network was trained on; classes that were "
            "left out mostly are not."
        )
    if not results or results[0].split != "test":
        found.append("There is no test: the images of the scores also chose the checkpoint.")
    counts = splits[0].counts if splits else {}
    if rare := [f"{name} ({number:,})" for name, number in counts.items() if number < FEW]:
        more = f", and {len(rare) - MOST_NAMED:,} more" if len(rare) > MOST_NAMED else ""
        listed = ", ".join(rare[:MOST_NAMED])
        found.append(f"Classes with fewer than {FEW} training images: {listed}{more}.")
    found += [_copies(each) for each in copy_scores(record)]
    return "\n".join(f"- {each}" for each in found)


def _copies(found: CopyScores) -> str:
    score = found.without_copies
    return (
        f"{found.copies:,} of the {found.images:,} {WORDS['splits'][found.split]} images are exact "
        f"copies of training images. Without them, the accuracy is {WORDS.percent(score.value)} "
        f"({WORDS.interval(score.low, score.high)})."
    )


def _number(record: StoredRun, key: str) -> str:
    return f"{record.metrics[key]:.3f}" if key in record.metrics else ""
