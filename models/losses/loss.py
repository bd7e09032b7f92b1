"""Cross-entropy, and class weights for any loss."""

from collections.abc import Sequence
from math import isfinite
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

ClassWeights = Literal["balanced"] | list[float] | None


class CrossEntropy(nn.Module):
    """Cross-entropy with label smoothing (Szegedy et al., 2016) and class weights.

    The loss is a weighted mean over the images. An image has the weight of its class; an image of
    mixed classes has the mean of their weights.

    Args:
        class_counts: Training images of each class; the classifier fills it in.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1].
        class_weights: `balanced` for weights N / (K * count), as in scikit-learn; a list of
            weights; or None for equal weights.

    Raises:
        ValueError: If the smoothing is out of range, or a list does not have one weight per class.
    """

    weight: Tensor | None

    def __init__(
        self,
        class_counts: Sequence[int],
        label_smoothing: float = 0.0,
        class_weights: ClassWeights = None,
    ) -> None:
        super().__init__()
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"Expected label_smoothing in [0, 1], got {label_smoothing:g}.")
        self.label_smoothing = label_smoothing
        # Not persistent: it follows from the training set, and checkpoints must load without it.
        self.register_buffer("weight", weights_of(class_weights, class_counts), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        # Not torch's mean, which for shares divides by N instead of the sum of the weights.
        total = cross_entropy(
            logits,
            labels,
            weight=self.weight,
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        return total / total_weight(labels, self.weight)


def total_weight(labels: Tensor, weight: Tensor | None) -> Tensor | int:
    """Sum of the weights of the images of a batch, replaced by a tiny number if it is 0.

    Args:
        labels: Labels (N,), or shares of the classes (N, num_classes).
        weight: Weight of each class, (num_classes,); None if all are 1.
    """
    if weight is None:
        return max(len(labels), 1)
    weights = weight[labels] if labels.ndim == 1 else labels.to(weight.dtype) @ weight
    # If all images of a batch have weight 0, their loss is 0 and not 0 / 0.
    return weights.sum().clamp_min(torch.finfo(weight.dtype).tiny)


def weights_of(class_weights: ClassWeights, class_counts: Sequence[int]) -> Tensor | None:
    """Weight of each class, (num_classes,), as described in `CrossEntropy`.

    Raises:
        ValueError: If a list does not have one finite weight per class, of 0 or more, and one of
            them above 0.
    """
    if class_weights is None:
        return None
    if class_weights == "balanced":
        return balanced_weights(class_counts)
    if isinstance(class_weights, str) or len(class_weights) != len(class_counts):
        got = repr(class_weights) if isinstance(class_weights, str) else len(class_weights)
        raise ValueError(
            f"Expected class_weights to be `balanced` or a list of {len(class_counts)} "
            f"numbers, one per class, got {got}."
        )
    if wrong := [value for value in class_weights if not (isfinite(value) and value >= 0)]:
        raise ValueError(f"Expected class_weights of 0 or more, got {wrong[0]:g}.")
    if not any(class_weights):
        raise ValueError("Expected a class weight above 0, got 0 for all.")
    return torch.tensor(class_weights, dtype=torch.float32)


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Weight N / (K * count) of each class, which is 1 if all have equally many images.

    K is the number of classes with images; the others, which no image has, get the weight 1.
    """
    counts = torch.tensor(class_counts, dtype=torch.float32)
    present = counts > 0
    balanced = counts.sum() / (present.sum() * counts.clamp_min(1))
    return torch.where(present, balanced, 1.0)
