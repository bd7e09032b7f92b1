"""Confident learning (Northcutt, Jiang and Chuang, 2021): labels that others speak against."""

from typing import NamedTuple

import torch
from torch import Tensor

MIN_IMAGES = 5  # of a class, below which nothing can be said of its labels
ROUNDING = 1e-6  # by which a probability may miss the mean that it is equal to


class Suspicion(NamedTuple):
    """What there is to say against the label of each image.

    Attributes:
        given: Probability of its label, (N,): the lower, the more suspicious.
        suggested: The class that it rather belongs to, (N,); never the given one.
        probability: Probability of that class, (N,).
        confident: Whether it is taken for that class with confidence, (N,).
    """

    given: Tensor
    suggested: Tensor
    probability: Tensor
    confident: Tensor

    def order(self) -> Tensor:
        """All images, the most suspicious first, (N,)."""
        return self.given.argsort(stable=True)


def suspicion(probabilities: Tensor, labels: Tensor) -> Suspicion:
    """Say how probable labels are, and suggest others.

    To rank by the probability of the given label found more of the labels that were flipped on
    purpose than to rank by the margin to the likeliest other class.

    Args:
        probabilities: Of each class, (N, K), from networks that did not learn from the image.
        labels: Given classes, (N,).
    """
    rows = labels[:, None]
    taken = _confident_classes(probabilities, labels)
    confident = (taken >= 0) & (taken != labels)
    suggested = torch.where(confident, taken, probabilities.scatter(1, rows, -1.0).argmax(dim=1))
    return Suspicion(
        given=probabilities.gather(1, rows)[:, 0],
        suggested=suggested,
        probability=probabilities.gather(1, suggested[:, None])[:, 0],
        confident=confident,
    )


def confident_joint(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Images of each given class (rows) that are taken for each class with confidence (columns).

    Args:
        probabilities: See `suspicion`.
        labels: Given classes, (N,).

    Returns:
        Counts, (K, K) int64; images that are taken for none are not counted.
    """
    num_classes = probabilities.shape[1]
    taken = _confident_classes(probabilities, labels)
    pairs = (labels * num_classes + taken)[taken >= 0]
    return pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes)


def _confident_classes(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The likeliest of the classes whose probability is at least that of their own images, else -1.

    A class with hardly an image is left out: its own images cannot tell it.
    """
    num_classes = probabilities.shape[1]
    counts = labels.bincount(minlength=num_classes)
    own = probabilities.gather(1, labels[:, None])[:, 0]
    sums = torch.zeros_like(probabilities[0]).index_add(0, labels, own)
    thresholds = torch.where(counts >= MIN_IMAGES, sums / counts.clamp_min(1) - ROUNDING, torch.inf)
    reached = torch.where(probabilities >= thresholds, probabilities, -1.0)
    highest, classes = reached.max(dim=1)
    judged = counts[labels] >= MIN_IMAGES
    return torch.where((highest >= 0) & judged, classes, -1)
