"""Course of a training: how soon the validation accuracy rises, and how far a loss rises."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

from lightning_app.store.stored_run import StoredRun

History = Mapping[int, float]  # values of a metric by epoch, from 0

GOAL = 0.9  # share of the base's best validation accuracy; the texts of the pages name it, too


@dataclass(frozen=True)
class Course:
    """Metrics of runs over the epochs: of one run, or of one for each seed.

    Attributes:
        seconds: Training time of each epoch, without validation and pictures, of each run.
        train_losses: Mean loss over the images of an epoch while it trains, of each run.
        val_losses: Mean loss of the validation images after each epoch, of each run.
        accuracies: Accuracy on the validation images after each epoch, of each run.
    """

    seconds: Sequence[History]
    train_losses: Sequence[History]
    val_losses: Sequence[History]
    accuracies: Sequence[History]

    @property
    def minutes(self) -> float:
        """Training time of a run; the median over the runs."""
        return median(sum(history.values()) / 60 for history in self.seconds)

    @property
    def epoch_seconds(self) -> float:
        """Training time of an epoch, the median over epochs and runs; NaN if unknown."""
        return median(median(history.values() or [math.nan]) for history in self.seconds)

    @property
    def goal(self) -> float:
        """`GOAL` times the best accuracy of each run, the mean over the runs; NaN without any."""
        best = [max(history.values()) for history in self.accuracies if history]
        return GOAL * mean(best) if best else math.nan

    def epochs_to(self, accuracy: float) -> list[int | None]:
        """How many epochs each run trained until it first had an accuracy; None if it never had.

        Args:
            accuracy: In [0, 1]; that of the base's `goal`.
        """
        return [
            next((epoch + 1 for epoch, value in sorted(history.items()) if value >= accuracy), None)
            for history in self.accuracies
        ]

    @property
    def train_loss_rise(self) -> float:
        """Largest rise of the training loss; see `largest_rise`. The mean over the runs."""
        return mean(map(largest_rise, self.train_losses))

    @property
    def val_loss_rise(self) -> float:
        """Largest rise of the validation loss; see `largest_rise`. The mean over the runs."""
        return mean(map(largest_rise, self.val_losses))


def read_course(records: Sequence[StoredRun]) -> Course:
    """Read the course of runs from the histories of their metrics."""
    names = ("time/epoch", "train/loss", "val/loss", "val/accuracy")
    return Course(*([record.history(name) for record in records] for name in names))


def largest_rise(history: History) -> float:
    """Largest rise of a metric from one epoch to the next that has a value.

    Returns:
        0 if the metric never rises, NaN if it has fewer than two values.
    """
    values = [value for _, value in sorted(history.items())]
    rises = [after - before for before, after in pairwise(values)]
    return max(0.0, *rises) if rises else math.nan
