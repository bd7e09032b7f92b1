"""Scores on corrupted images of a run, read from the table of `test --corrupt`."""

import math
from typing import NamedTuple

from lightning_app.store.stored_run import StoredRun

SPLITS = ("test", "test_seen")


class CorruptionScores(NamedTuple):
    """Accuracy on corrupted images, in [0, 1]; see `callbacks.CorruptionTest`."""

    split: str
    images: int
    digest: str  # of the images and the seed
    clean: float  # of the same images without corruption
    by_corruption: dict[str, float]  # mean over the strengths

    @property
    def accuracy(self) -> float:
        """Mean over all corruptions and strengths."""
        return sum(self.by_corruption.values()) / len(self.by_corruption)

    @property
    def relative_loss(self) -> float:
        """Share of the clean accuracy that is lost."""
        return 1 - self.accuracy / self.clean if self.clean else math.nan

    @property
    def worst(self) -> str:
        """The corruption with the lowest accuracy."""
        return min(self.by_corruption, key=self.by_corruption.__getitem__)

    @property
    def worst_accuracy(self) -> float:
        """The lowest accuracy of a corruption."""
        return self.by_corruption[self.worst]


def corruption_scores(record: StoredRun) -> list[CorruptionScores]:
    """Scores of the last test of each split, if it was one with corrupted images."""
    found = []
    for split in SPLITS:
        clean, *rows = record.table(f"tables/corruptions_{split}.json") or [{}]
        if not rows:
            continue
        values: dict[str, list[float]] = {}
        for row in rows:
            values.setdefault(row["corruption"], []).append(row["accuracy"])
        means = {name: sum(of_name) / len(of_name) for name, of_name in values.items()}
        number, digest = clean["images"], clean["digest"]
        found.append(CorruptionScores(split, number, digest, clean["accuracy"], means))
    return found
