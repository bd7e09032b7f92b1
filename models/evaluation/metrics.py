"""Numbers that are counted batch by batch, and the scores that follow from them."""

from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """Scores of each class, (num_classes,) each; NaN where the class never occurs.

    The accuracy of a class counts all images: those that rightly are, or are not, taken for it.
    The share of its own images that are classified right is its recall.
    """

    precision: Tensor
    recall: Tensor
    f1: Tensor
    support: Tensor
    accuracy: Tensor


class RunningSums:
    """Sums of the training batches: loss * images, hits, images.

    Two torchmetrics would cost a small network's step 0.3 ms. Not a buffer of a module either:
    DDP would overwrite it with that of the first process.

    Args:
        device: Where the batches are.
    """

    def __init__(self, device: torch.device) -> None:
        self.values = torch.zeros(3, device=device)

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: its mean loss, logits (N, num_classes) and labels (N,).

        Labels that are shares of the classes, (N, num_classes), count as the largest of them.
        """
        labels = labels if labels.ndim == 1 else labels.argmax(dim=1)
        self.values[0] += loss * len(labels)
        self.values[1] += (logits.argmax(dim=1) == labels).sum()
        self.values[2] += len(labels)


def confusion_counts(predicted: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Images of each true class (rows) that are taken for each class (columns), (K, K) int64.

    Args:
        predicted: Predicted classes, (N,).
        labels: True classes, (N,); images with a negative one, which is not known, do not count.
        num_classes: How many classes K there are.
    """
    pairs = (labels * num_classes + predicted)[labels >= 0]
    return pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes)


def accuracy(confusion: Tensor) -> Tensor:
    """Share of images that are classified right; confusion (true, predicted) holds counts."""
    return confusion.diagonal().sum() / confusion.sum()


def f1_macro(confusion: Tensor) -> Tensor:
    """Mean F1 over the classes that occur, as label or as prediction."""
    return class_scores(confusion).f1.nanmean()


def class_scores(confusion: Tensor) -> ClassScores:
    """Scores of each class; precision is 0 where it is never predicted."""
    counts = confusion.double()
    hits, support, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    occurs = support + predicted > 0
    precision = torch.where(predicted > 0, hits / predicted.clamp_min(1), 0.0)
    errors = support + predicted - 2 * hits
    return ClassScores(
        precision=precision.where(occurs, torch.nan),
        recall=hits / support,
        f1=2 * hits / (support + predicted),
        support=support.long(),
        accuracy=(1 - errors / counts.sum()).where(occurs, torch.nan),
    )
