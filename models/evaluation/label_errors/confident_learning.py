"""Confident learning (Northcutt, Jiang and Chuang, 2021): find label errors from probabilities."""

from typing import NamedTuple

import torch
from torch import Tensor

from models.evaluation.confusion import confusion_counts

MIN_IMAGES = 5  # of a class; with fewer, label errors in it cannot be found
ROUNDING = 1e-6  # by which a probability may be below the mean that it equals


class LabelErrors(NamedTuple):
    """How likely the label of each image is wrong, and which class is more likely, (N,) each.

    Attributes:
        label_probability: Probability of the label; the lower, the more likely it is wrong.
        suggested: Another class that the image more likely belongs to.
        suggested_probability: Probability of that class.
        likely: Whether confident learning counts the label as an error.
    """

    label_probability: Tensor
    suggested: Tensor
    suggested_probability: Tensor
    likely: Tensor

    def order(self) -> Tensor:
        """Rows of all images, the most likely label error first, (N,)."""
        return self.label_probability.argsort(stable=True)


def find_label_errors(probabilities: Tensor, labels: Tensor) -> LabelErrors:
    """Find labels that are likely wrong, and suggest other classes.

    Images are ranked by the probability of their label: this finds more of the labels that were
    flipped on purpose than the margin to the most probable other class.

    Args:
        probabilities: Probabilities of the classes, (N, K), from networks that were not trained
            on the image.
        labels: Labels in the dataset, (N,).
    """
    rows = labels[:, None]
    confident = _confident_classes(probabilities, labels)
    likely = (confident >= 0) & (confident != labels)
    suggested = torch.where(likely, confident, probabilities.scatter(1, rows, -1.0).argmax(dim=1))
    return LabelErrors(
        label_probability=probabilities.gather(1, rows)[:, 0],
        suggested=suggested,
        suggested_probability=probabilities.gather(1, suggested[:, None])[:, 0],
        likely=likely,
    )


def confident_joint(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Images by label (rows) and by the class that they confidently belong to (columns).

    Args:
        probabilities: See `find_label_errors`.
        labels: Labels in the dataset, (N,).

    Returns:
        Counts, (K, K) int64; images that belong to no class with confidence are not counted.
    """
    confident = _confident_classes(probabilities, labels)
    return confusion_counts(confident, labels, probabilities.shape[1])


def _confident_classes(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The most probable class whose probability reaches its mean over its own images, else -1.

    A class of fewer than `MIN_IMAGES` images is left out: the mean over them says too little.
    """
    num_classes = probabilities.shape[1]
    counts = labels.bincount(minlength=num_classes)
    own = probabilities.gather(1, labels[:, None])[:, 0]
    sums = torch.zeros_like(probabilities[0]).index_add(0, labels, own)
    thresholds = torch.where(counts >= MIN_IMAGES, sums / counts.clamp_min(1) - ROUNDING, torch.inf)
    reached = torch.where(probabilities >= thresholds, probabilities, -1.0)
    highest, classes = reached.max(dim=1)
    enough = counts[labels] >= MIN_IMAGES
    return torch.where((highest >= 0) & enough, classes, -1)
