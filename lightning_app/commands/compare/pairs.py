"""Two runs compared image by image, class by class, and by McNemar's test."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lightning_app.store.predictions import SharedPredictions
from models.evaluation.confusion import confusion_counts
from models.evaluation.paired_test import PairedTest, holm, paired_test


class ClassChange(NamedTuple):
    """A class, the number of its images, and the test on these images."""

    name: str
    images: int
    test: PairedTest


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs; each is a row of the predictions.

    Attributes:
        first: Row of the reference.
        second: Row of the run that is compared with it.
        test: Paired test of the accuracies.
        fixed: Images that only the second run classifies correctly; those with its most confident
            predictions come first.
        broken: Images that only the first run classifies correctly, in the same order.
        both_correct: Number of images that both classify correctly.
        both_wrong: Number of images that both misclassify.
        classes: Change of each class, the largest gain first.
        confusions: Confusion matrices (true, predicted) of the two runs, (2, K, K).
    """

    first: int
    second: int
    test: PairedTest
    fixed: list[int]
    broken: list[int]
    both_correct: int
    both_wrong: int
    classes: list[ClassChange]
    confusions: np.ndarray

    @property
    def accuracies(self) -> tuple[float, float]:
        """Accuracies of the two runs on these images, in [0, 1]."""
        fixed, broken = len(self.fixed), len(self.broken)
        number = fixed + broken + self.both_correct + self.both_wrong
        return (self.both_correct + broken) / number, (self.both_correct + fixed) / number

    @property
    def gained(self) -> list[ClassChange]:
        """Classes that got better, the largest gain first."""
        return [change for change in self.classes if change.test.difference > 0]

    @property
    def lost(self) -> list[ClassChange]:
        """Classes that got worse, the largest loss first."""
        return [change for change in reversed(self.classes) if change.test.difference < 0]


def compare_pair(
    predictions: SharedPredictions, first: int, second: int, class_names: Sequence[str]
) -> Pair:
    """Compare two runs.

    Args:
        predictions: Predictions of all runs.
        first: Row of the reference.
        second: Row of the run that is compared with it.
        class_names: All classes among the labels and predictions, in the order of the matrices.
    """
    before, after = predictions.correct[first], predictions.correct[second]
    order = torch.from_numpy(np.argsort(-predictions.confidence[second], kind="stable"))
    labels = _codes(predictions.labels, class_names)
    predicted = [_codes(predictions.predicted[row], class_names) for row in (first, second)]
    return Pair(
        first,
        second,
        paired_test(before[None], after[None]),
        order[(after & ~before)[order]].tolist(),
        order[(before & ~after)[order]].tolist(),
        int((before & after).sum()),
        int((~before & ~after).sum()),
        sorted(_class_changes(before, after, labels, class_names), key=_loss),
        np.stack([confusion_counts(p, labels, len(class_names)).numpy() for p in predicted]),
    )


def pairwise_p_values(right: Tensor) -> dict[tuple[int, int], float]:
    """P-values of all pairs of runs, adjusted for the number of pairs; see `holm`.

    Args:
        right: Which predictions are correct, (R, N).
    """
    pairs = list(combinations(range(len(right)), 2))
    tests = [paired_test(right[[a]], right[[b]]) for a, b in pairs]
    return dict(zip(pairs, holm([test.p_value for test in tests]), strict=True))


def classes_of(predictions: SharedPredictions, known: Iterable[str]) -> list[str]:
    """The classes among labels and predictions: known ones in their order, then the others."""
    seen = {*pd.unique(predictions.labels), *pd.unique(predictions.predicted.ravel())}
    return [name for name in dict.fromkeys([*known, *sorted(seen)]) if name in seen]


def _codes(names: np.ndarray, class_names: Sequence[str]) -> Tensor:
    codes = pd.Categorical(names, categories=list(class_names)).codes
    return torch.from_numpy(codes.astype(np.int64))


def _class_changes(
    before: Tensor, after: Tensor, labels: Tensor, class_names: Sequence[str]
) -> Iterable[ClassChange]:
    rows = labels.argsort(stable=True)
    counts = labels.bincount(minlength=len(class_names)).tolist()
    sides = (before[rows].split(counts), after[rows].split(counts))
    for name, first, second in zip(class_names, *sides, strict=True):
        if len(first):
            yield ClassChange(name, len(first), paired_test(first[None], second[None]))


def _loss(change: ClassChange) -> float:
    return -change.test.difference
