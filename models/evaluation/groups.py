"""Groups of images with equal values in a column, and those on which a network is worse."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import fisher_exact
from torch import Tensor

from models.evaluation.calibration import calibration_error, chance_error, reliability
from models.evaluation.groupings import Grouping
from models.evaluation.paired_test import holm
from models.evaluation.predictions import Predictions
from models.evaluation.wilson import wilson

FEWEST = 10  # images of a group, and of the rest, to compare them
GAP = 0.05  # difference in accuracy that is worth a sentence
DOUBT = 0.05
MORE_THAN_GAP = 0.5  # share of the gap that the classes of a group explain, to be said


class GroupScore(NamedTuple):
    """What a network reaches for a group of images, and for the rest.

    Attributes:
        column: What the images are grouped by.
        group: The group.
        images: Number of its images.
        correct: How many of them are classified correctly.
        low: Lower end of the 95 % interval of its accuracy (Wilson).
        high: Upper end.
        rest: Accuracy of the other images with a value.
        expected: Accuracy of the others, weighted by the classes of the group; NaN if they lack
            all of its classes.
        p_value: Of the difference (Fisher's exact test), adjusted for all groups of all columns
            (Holm); NaN if there are fewer than `FEWEST` images on a side.
        confidence: Mean confidence.
        calibration_error: Expected calibration error.
        chance_error: The same of a perfectly calibrated network by chance.
    """

    column: str
    group: str
    images: int
    correct: int
    low: float
    high: float
    rest: float
    expected: float
    p_value: float
    confidence: float
    calibration_error: float
    chance_error: float

    @property
    def accuracy(self) -> float:
        """Share of its images that are classified correctly."""
        return self.correct / self.images

    @property
    def is_worse(self) -> bool:
        """Whether the network is worse for this group, by more than chance and `GAP`."""
        return self.rest - self.accuracy >= GAP and self.p_value < DOUBT

    @property
    def is_explained(self) -> bool:
        """Whether its classes explain more than half of the difference."""
        return self.rest - self.expected > MORE_THAN_GAP * (self.rest - self.accuracy)


def group_scores(groupings: Mapping[str, Grouping], predictions: Predictions) -> list[GroupScore]:
    """Scores of each group that has images, in the order of the columns.

    Args:
        groupings: Groups of the N images, by the name of the column.
        predictions: Those of the N images, all labelled.
    """
    correct, labels = predictions.correct, predictions.labels
    found: list[GroupScore] = []
    tests: dict[tuple[str, int], float] = {}
    keys: list[tuple[str, int]] = []
    for column, grouping in groupings.items():
        index = torch.from_numpy(grouping.index)
        for number, name in enumerate(grouping.names):
            own, others = index == number, index != number  # also those without a value
            if not own.any() or not others.any():
                continue
            # The two groups of a column have one test, which counts once.
            key = (column, number if len(grouping.names) > 2 or bool((index < 0).any()) else 0)
            keys.append(key)
            if min(int(own.sum()), int(others.sum())) >= FEWEST:
                tests[key] = _p_value(correct[own], correct[others])
            compared = correct[others].numpy(), labels[others].numpy()
            expected = accuracy_at_classes(*compared, labels[own].numpy())
            found.append(_score(column, name, predictions, own, others, expected))
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True)) if tests else {}
    return [
        score._replace(p_value=adjusted.get(key, float("nan")))
        for key, score in zip(keys, found, strict=True)
    ]


def worse_groups(scores: Sequence[GroupScore]) -> list[GroupScore]:
    """The groups for which the network is worse, the largest difference first; one of a column."""
    worse: dict[str, GroupScore] = {}
    for score in sorted(scores, key=lambda score: score.accuracy - score.rest):
        if score.is_worse:
            worse.setdefault(score.column, score)
    return list(worse.values())


def accuracy_at_classes(correct: np.ndarray, labels: np.ndarray, wanted: np.ndarray) -> float:
    """Accuracy of images if their classes were as frequent as in others.

    Args:
        correct: Whether each image is classified correctly, (N,).
        labels: Class of each image, (N,).
        wanted: Class of each of the others, (M,); classes that the N images lack do not count.
    """
    size = int(max(labels.max(initial=0), wanted.max(initial=0))) + 1
    images = np.bincount(labels, minlength=size)
    hits = np.bincount(labels, correct, size)
    weights = np.bincount(wanted, minlength=size) * (images > 0)
    total = weights.sum()
    return float((weights * hits / images.clip(min=1)).sum() / total) if total else float("nan")


def _score(
    column: str, name: str, predictions: Predictions, own: Tensor, others: Tensor, expected: float
) -> GroupScore:
    correct, confidence = predictions.correct[own], predictions.confidence[own]
    number, hits = len(correct), int(correct.sum())
    bins = reliability(confidence, correct)
    return GroupScore(
        column,
        name,
        number,
        hits,
        *wilson(hits / number, number),
        rest=float(predictions.correct[others].double().mean()),
        expected=expected,
        p_value=float("nan"),
        confidence=float(confidence.mean()),
        calibration_error=calibration_error(bins),
        chance_error=chance_error(bins),
    )


def _p_value(own: Tensor, others: Tensor) -> float:
    table = [[int(part.sum()), int((~part).sum())] for part in (own, others)]
    return float(fisher_exact(table)[1])  # pyright: ignore[reportArgumentType]
