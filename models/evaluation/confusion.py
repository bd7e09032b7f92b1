"""Confusion matrix, and the scores of each class that follow from it."""

from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """Scores of each class, (K,) each; NaN where the class never occurs.

    The recall of a class is the share of its images that are classified correctly, which others
    call the accuracy of the class.
    """

    precision: Tensor
    recall: Tensor
    f1: Tensor
    support: Tensor


def ranked_classes(logits: Tensor, k: int) -> Tensor:
    """The classes with the k highest logits, (N, k); of equal ones the first, as by `argmax`.

    `topk` takes any of them.

    Args:
        logits: (N, K).
        k: Number of classes, at most K.
    """
    return logits.sort(dim=1, descending=True, stable=True).indices[:, :k]


def confusion_counts(predicted: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Confusion matrix: images by label (rows) and prediction (columns), (K, K) int64.

    This is the only place where one is counted. It does not wait for the device.

    Args:
        predicted: Predicted classes, (N,).
        labels: True classes, (N,). An image is not counted if either of the two is negative.
        num_classes: Number of classes K.
    """
    counts = labels.new_zeros(num_classes**2, dtype=torch.int64)
    cells = labels.clamp_min(0) * num_classes + predicted.clamp_min(0)
    # Neither a mask nor `bincount`: for the size of their results the CPU waits for the device.
    known = (labels >= 0) & (predicted >= 0)
    return counts.index_add_(0, cells, known.long()).view(num_classes, num_classes)


def class_scores(confusion: Tensor) -> ClassScores:
    """Scores of each class.

    Args:
        confusion: Counts (label, prediction), (K, K). A class that is never predicted has a
            precision of 0.
    """
    sums = (confusion.diagonal(), confusion.sum(dim=1), confusion.sum(dim=0))
    hits, support, predicted = (each.double() for each in sums)
    occurs = support + predicted > 0
    precision = torch.where(predicted > 0, hits / predicted.clamp_min(1), 0.0)
    return ClassScores(
        precision=precision.where(occurs, torch.nan),
        recall=hits / support,
        f1=2 * hits / (support + predicted),
        support=support.long(),
    )


def accuracy(confusion: Tensor) -> Tensor:
    """Share of the images that are classified correctly."""
    return confusion.diagonal().sum() / confusion.sum()


def f1_macro(confusion: Tensor) -> Tensor:
    """Mean F1 of the classes that occur, as label or as prediction."""
    return class_scores(confusion).f1.nanmean()
