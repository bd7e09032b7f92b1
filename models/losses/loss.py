"""Cross-entropy, and the weights of classes in a loss."""

from collections.abc import Sequence
from math import isfinite
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

ClassWeights = Literal["balanced"] | list[float] | None


class CrossEntropy(nn.Module):
    """Cross-entropy with label smoothing (Szegedy et al., 2016) and class weights.

    The loss is a weighted mean over the images: an image weighs as its class does, and one of
    mixed classes as the mean of theirs.

    Args:
        class_counts: Training images of each class; the classifier fills it in.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1].
        class_weights: `balanced` weighs a class by N / (K * its count), as scikit-learn does; a
            list gives the weights; None weighs all alike.

    Raises:
        ValueError: If the smoothing is out of range, or a list has not one weight a class.
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
        # Not persistent: it belongs to the training data, and a checkpoint must load without.
        self.register_buffer("weight", weights_of(class_weights, class_counts), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        # Not torch's own mean: for shares it divides by N, whatever the images weigh.
        total = cross_entropy(
            logits,
            labels,
            weight=self.weight,
            label_smoothing=self.label_smoothing,
            reduction="sum",
        )
        return total / total_weight(labels, self.weight)


def total_weight(labels: Tensor, weight: Tensor | None) -> Tensor | int:
    """Sum of what the images of a batch weigh; positive also where it is 0.

    Args:
        labels: Labels (N,), or shares of the classes (N, num_classes).
        weight: Weight of each class, (num_classes,); None for 1.
    """
    if weight is None:
        return max(len(labels), 1)
    weights = weight[labels] if labels.ndim == 1 else labels.to(weight.dtype) @ weight
    # A batch may hold only images of weight 0, whose loss is 0 and not 0 / 0.
    return weights.sum().clamp_min(torch.finfo(weight.dtype).tiny)


def weights_of(class_weights: ClassWeights, class_counts: Sequence[int]) -> Tensor | None:
    """The weight of each class, (num_classes,), as `CrossEntropy` describes it.

    Raises:
        ValueError: If a list has not one finite weight a class, of 0 or more, one of them above 0.
    """
    if class_weights is None:
        return None
    if class_weights == "balanced":
        return balanced_weights(class_counts)
    if isinstance(class_weights, str) or len(class_weights) != len(class_counts):
        got = repr(class_weights) if isinstance(class_weights, str) else len(class_weights)
        raise ValueError(
            f"Expected class_weights to be `balanced` or a list of {len(class_counts)} "
            f"numbers, one a class, got {got}."
        )
    if wrong := [value for value in class_weights if not (isfinite(value) and value >= 0)]:
        raise ValueError(f"Expected class_weights of 0 or more, got {wrong[0]:g}.")
    if not any(class_weights):
        raise ValueError("Expected a class weight above 0, got 0 for all.")
    return torch.tensor(class_weights, dtype=torch.float32)


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Weight of each class, N / (K * its count): 1 for all where all have as many images.

    K counts the classes that have images; the others, which are never trained on, weigh 1.
    """
    counts = torch.tensor(class_counts, dtype=torch.float32)
    present = counts > 0
    balanced = counts.sum() / (present.sum() * counts.clamp_min(1))
    return torch.where(present, balanced, 1.0)
