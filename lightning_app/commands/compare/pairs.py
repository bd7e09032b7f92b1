"""What a run says otherwise than another, image by image."""

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
    """A class, how many images it has, and the test on these alone."""

    name: str
    images: int
    test: PairedTest


@dataclass(frozen=True, eq=False)
class Pair:
    """A run against another; both are rows of the answers.

    Attributes:
        first: The run that is compared with.
        second: The run that is compared.
        test: Of the accuracies.
        fixed: Images that the second alone has right, those that it is surest of first.
        broken: Images that the first alone has right, in the same order.
        both_right: How many images both have right.
        both_wrong: How many both have wrong.
        classes: What each class gained, the largest gain first.
        confusions: Images (true, predicted) of the first and of the second, (2, K, K).
    """

    first: int
    second: int
    test: PairedTest
    fixed: list[int]
    broken: list[int]
    both_right: int
    both_wrong: int
    classes: list[ClassChange]
    confusions: np.ndarray

    @property
    def accuracies(self) -> tuple[float, float]:
        """Of the first and of the second on these images, in [0, 1]."""
        fixed, broken = len(self.fixed), len(self.broken)
        number = fixed + broken + self.both_right + self.both_wrong
        return (self.both_right + broken) / number, (self.both_right + fixed) / number

    @property
    def gained(self) -> list[ClassChange]:
        """Classes that are better, the largest gain first."""
        return [change for change in self.classes if change.test.difference > 0]

    @property
    def lost(self) -> list[ClassChange]:
        """Classes that are worse, the largest loss first."""
        return [change for change in reversed(self.classes) if change.test.difference < 0]


def compare_pair(
    answers: SharedPredictions, first: int, second: int, class_names: Sequence[str]
) -> Pair:
    """Compare a run with another.

    Args:
        answers: What all runs say.
        first: Row of the run that is compared with.
        second: Row of the run that is compared.
        class_names: All classes that are labels or predictions, in an order.
    """
    before, after = answers.correct[first], answers.correct[second]
    surest = torch.from_numpy(np.argsort(-answers.confidence[second], kind="stable"))
    labels = _codes(answers.labels, class_names)
    predicted = [_codes(answers.predicted[row], class_names) for row in (first, second)]
    return Pair(
        first,
        second,
        paired_test(before[None], after[None]),
        surest[(after & ~before)[surest]].tolist(),
        surest[(before & ~after)[surest]].tolist(),
        int((before & after).sum()),
        int((~before & ~after).sum()),
        sorted(_class_changes(before, after, labels, class_names), key=_loss),
        np.stack([confusion_counts(p, labels, len(class_names)).numpy() for p in predicted]),
    )


def pairwise_p_values(right: Tensor) -> dict[tuple[int, int], float]:
    """P-values of all pairs of runs, adjusted for their number; see `holm`.

    Args:
        right: Which predictions are right, (R, N).
    """
    pairs = list(combinations(range(len(right)), 2))
    tests = [paired_test(right[[a]], right[[b]]) for a, b in pairs]
    return dict(zip(pairs, holm([test.p_value for test in tests]), strict=True))


def classes_of(answers: SharedPredictions, known: Iterable[str]) -> list[str]:
    """The classes that are labels or predictions: known ones in their order, then the others."""
    seen = {*answers.labels, *answers.predicted.flatten()}
    return [name for name in dict.fromkeys([*known, *sorted(seen)]) if name in seen]


def _codes(names: np.ndarray, class_names: Sequence[str]) -> Tensor:
    codes = pd.Categorical(names, categories=list(class_names)).codes
    return torch.from_numpy(codes.astype(np.int64))


def _class_changes(
    before: Tensor, after: Tensor, labels: Tensor, class_names: Sequence[str]
) -> Iterable[ClassChange]:
    for label, name in enumerate(class_names):
        own = labels == label
        if number := int(own.sum()):
            yield ClassChange(name, number, paired_test(before[own][None], after[own][None]))


def _loss(change: ClassChange) -> float:
    return -change.test.difference
