"""Confident learning (Northcutt, Jiang and Chuang, 2021): find label errors from probabilities."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from models.evaluation.confusion import confusion_counts
from models.evaluation.label_errors.feature_rows import CHUNK

MIN_IMAGES = 5  # of a class; with fewer, label errors in it cannot be found
ROUNDING = 1e-6  # by which a probability may be below the mean that it equals

# Rows (n,) and the probabilities of these images, (n, K); it is iterated over twice.
Chunks = Iterable[tuple[Tensor, Tensor]]


class LabelErrors(NamedTuple):
    """How likely the label of each image is wrong, and which class is more likely, (N,) each.

    Attributes:
        label_probability: Probability of the label; the lower, the more likely it is wrong.
        suggested: Another class that the image more likely belongs to.
        suggested_probability: Probability of that class.
        likely: Whether confident learning counts the label as an error.
        disagrees: Whether another class is more probable than the label.
    """

    label_probability: Tensor
    suggested: Tensor
    suggested_probability: Tensor
    likely: Tensor
    disagrees: Tensor

    def order(self) -> Tensor:
        """Rows of all images, the most likely label error first, (N,)."""
        return self.label_probability.argsort(stable=True)


def find_label_errors(probabilities: Tensor | Chunks, labels: Tensor) -> LabelErrors:
    """Find labels that are likely wrong, and suggest other classes.

    Images are ranked by the probability of their label: this finds more of the labels that were
    flipped on purpose than the margin to the most probable other class.

    Args:
        probabilities: Probabilities of the classes, (N, K), from networks that were not trained
            on the image; or chunks of them, such as a `LeaveOneOut`, of which each image is in one.
        labels: Labels in the dataset, (N,).
    """
    chunks = _chunks(probabilities)
    own = _of_labels(chunks, labels)
    suggested, found = torch.empty_like(labels), torch.empty_like(own)
    likely, disagrees = torch.empty(2, len(labels), dtype=torch.bool)
    for rows, part, confident in _confident_classes(chunks, own, labels):
        given = labels[rows]
        disagrees[rows] = part.amax(dim=1) > own[rows]
        likely[rows] = wrong = (confident >= 0) & (confident != given)
        other = part.scatter(1, given[:, None], -1.0).argmax(dim=1)
        suggested[rows] = other = torch.where(wrong, confident, other)
        found[rows] = part.gather(1, other[:, None])[:, 0]
    return LabelErrors(own, suggested, found, likely, disagrees)


def confident_joint(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Images by label (rows) and by the class that they confidently belong to (columns).

    Args:
        probabilities: See `find_label_errors`.
        labels: Labels in the dataset, (N,).

    Returns:
        Counts, (K, K) int64; images that belong to no class with confidence are not counted.
    """
    chunks, confident = _chunks(probabilities), torch.empty_like(labels)
    for rows, _, classes in _confident_classes(chunks, _of_labels(chunks, labels), labels):
        confident[rows] = classes
    return confusion_counts(confident, labels, probabilities.shape[1])


def _chunks(probabilities: Tensor | Chunks) -> Chunks:
    if not isinstance(probabilities, Tensor):
        return probabilities
    size = max(1, CHUNK // probabilities.shape[1])
    rows = torch.arange(len(probabilities))
    return list(zip(rows.split(size), probabilities.split(size), strict=True))


def _of_labels(chunks: Chunks, labels: Tensor) -> Tensor:
    """The probability of the label of each image, (N,)."""
    parts = [(rows, part.gather(1, labels[rows][:, None])[:, 0]) for rows, part in chunks]
    own = torch.empty(len(labels), dtype=parts[0][1].dtype)
    for rows, values in parts:
        own[rows] = values
    return own


def _confident_classes(
    chunks: Chunks, own: Tensor, labels: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Each chunk with the most probable class that reaches its mean over its own images, else -1.

    A class of fewer than `MIN_IMAGES` images is left out: the mean over them says too little.
    """
    for rows, part in chunks:
        counts = labels.bincount(minlength=part.shape[1])
        sums = torch.zeros_like(part[0]).index_add(0, labels, own)
        means = sums / counts.clamp_min(1) - ROUNDING
        thresholds = torch.where(counts >= MIN_IMAGES, means, torch.inf)
        highest, classes = torch.where(part >= thresholds, part, -1.0).max(dim=1)
        enough = counts[labels[rows]] >= MIN_IMAGES
        yield rows, part, torch.where((highest >= 0) & enough, classes, -1)
