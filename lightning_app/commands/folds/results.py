"""Results of a cross-validation: each fold, their mean, and what the ensemble gains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lightning_app.commands.folds.out_of_fold import OutOfFold
from lightning_app.store.predictions import SharedPredictions, read_predictions
from lightning_app.store.stored_run import StoredRun
from models.evaluation.paired_test import PairedTest, paired_test
from models.evaluation.student import student_interval
from models.evaluation.wilson import wilson

MEAN = "mean"  # name of a row


class FoldScore(NamedTuple):
    """A network on the images of its fold, and on the test images if there are some."""

    name: str
    images: int
    accuracy: float
    test_accuracy: float | None


class Gain(NamedTuple):
    """The ensemble against one of its networks, or against their mean, image by image."""

    against: str
    test: PairedTest


@dataclass(frozen=True)
class FoldResults:
    """Scores of the folds, of all out-of-fold predictions, and of the ensemble.

    Attributes:
        scores: A row for each network.
        images: Number of out-of-fold images.
        accuracy: Accuracy of the out-of-fold predictions.
        ensemble: Accuracy of the ensemble on the test images; None without one.
        test_images: Number of test images.
        gains: What the ensemble gains on them.
    """

    scores: list[FoldScore]
    images: int
    accuracy: float
    ensemble: float | None = None
    test_images: int = 0
    gains: tuple[Gain, ...] = ()

    @property
    def mean(self) -> float:
        """Mean accuracy of the networks, each on its fold."""
        return float(np.mean([score.accuracy for score in self.scores]))

    @property
    def over_folds(self) -> tuple[float, float]:
        """95 % interval of the mean over the networks; see `student_interval`."""
        return student_interval([score.accuracy for score in self.scores])

    @property
    def over_images(self) -> tuple[float, float]:
        """95 % interval of the out-of-fold accuracy over images (Wilson)."""
        return wilson(self.accuracy, self.images)

    @property
    def mean_test(self) -> float | None:
        """Mean test accuracy of the networks."""
        values = [score.test_accuracy for score in self.scores if score.test_accuracy is not None]
        return float(np.mean(values)) if values else None

    def columns(self) -> dict[str, list[Any]]:
        """A row for each network, one for their mean, and one for the ensemble."""
        low, high = (None if np.isnan(end) else end for end in self.over_folds)
        rows: list[tuple[Any, ...]] = [
            (s.name, s.images, s.accuracy, None, None, s.test_accuracy) for s in self.scores
        ]
        rows.append((MEAN, self.images, self.mean, low, high, self.mean_test))
        rows.append(("out of fold", self.images, self.accuracy, *self.over_images, None))
        if self.ensemble is not None:
            rows.append(("ensemble", None, None, None, None, self.ensemble))
        names = ("network", "images", "accuracy", "low", "high", "test_accuracy")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}

    def gain_columns(self) -> dict[str, list[Any]]:
        """A row for each gain: the difference in accuracy, its interval, and the p-value."""
        return {
            "against": [gain.against for gain in self.gains],
            "images": [self.test_images] * len(self.gains),
            "difference": [gain.test.difference for gain in self.gains],
            "low": [gain.test.low for gain in self.gains],
            "high": [gain.test.high for gain in self.gains],
            "p_value": [gain.test.p_value for gain in self.gains],
        }


def fold_results(
    records: Sequence[tuple[str, StoredRun]], found: OutOfFold, ensemble: StoredRun | None
) -> FoldResults:
    """Collect the results.

    Args:
        records: The finished runs by name.
        found: Their out-of-fold predictions.
        ensemble: The run of the ensemble; None if it was not tested.
    """
    scores = []
    for name, record in records:
        own = read_predictions([record], "val")
        tested = "predictions/test.csv" in record.files
        test = _accuracy(read_predictions([record], "test")) if tested else None
        scores.append(FoldScore(name, len(own.images), _accuracy(own), test))
    accuracy = float((found.probabilities.argmax(axis=1) == found.labels).mean())
    if ensemble is None:
        return FoldResults(scores, len(found.images), accuracy)
    shared = read_predictions([ensemble, *(record for _, record in records)], "test")
    whole = float(shared.correct[0].double().mean())
    gains = tuple(_gains(shared, scores))
    return FoldResults(scores, len(found.images), accuracy, whole, len(shared.images), gains)


def _accuracy(shared: SharedPredictions) -> float:
    return float(shared.correct.double().mean())


def _gains(shared: SharedPredictions, scores: Sequence[FoldScore]) -> list[Gain]:
    """The ensemble against the mean of its networks, and against the best of them."""
    ensemble, members = shared.correct[:1], shared.correct[1:]
    # By validation: to choose it by the test would flatter it.
    best = max(range(len(scores)), key=lambda place: scores[place].accuracy)
    return [
        Gain(MEAN, paired_test(members, ensemble)),
        Gain(scores[best].name, paired_test(members[best : best + 1], ensemble)),
    ]
