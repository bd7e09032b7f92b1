"""Scores of a stored run with and without the images that are copies of training images."""

from typing import NamedTuple

from lightning_app.store.run_scores import SPLITS, Score
from lightning_app.store.stored_run import StoredRun


class CopyScores(NamedTuple):
    """Accuracy with and without the images that are copies of training images."""

    split: str
    images: int
    copies: int
    with_copies: Score
    without_copies: Score


def copy_scores(record: StoredRun) -> list[CopyScores]:
    """Scores of each split that has copies of training images; see `TrainingCopies`."""
    found = []
    for split in SPLITS:
        rows = {row["images"]: row for row in record.table(f"tables/copies_{split}.json")}
        if "without copies" in rows:
            scores = [
                Score(*(rows[kind][key] for key in ("accuracy", "low", "high")))
                for kind in ("all", "without copies")
            ]
            numbers = [rows[kind]["number"] for kind in ("all", "copies")]
            found.append(CopyScores(split, *numbers, *scores))
    return found
