"""What follows from a confusion matrix: one state is counted, every number is derived from it."""

from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """Scores of each class, (num_classes,) each; NaN where the class never occurs."""

    precision: Tensor
    recall: Tensor
    f1: Tensor
    support: Tensor


def accuracy(confusion: Tensor) -> Tensor:
    """Share of images that are classified right; confusion (true, predicted) holds counts."""
    return confusion.diagonal().sum() / confusion.sum()


def f1_macro(confusion: Tensor) -> Tensor:
    """Mean F1 over the classes that occur, as label or as prediction."""
    return class_scores(confusion).f1.nanmean()


def class_scores(confusion: Tensor) -> ClassScores:
    """Precision, recall and F1 of each class; precision is 0 where it is never predicted."""
    counts = confusion.double()
    hits, support, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    precision = torch.where(predicted > 0, hits / predicted.clamp_min(1), 0.0)
    return ClassScores(
        precision=torch.where(support + predicted > 0, precision, torch.nan),
        recall=hits / support,
        f1=2 * hits / (support + predicted),
        support=support.long(),
    )
