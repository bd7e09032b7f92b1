"""The loss, and the weights of classes in it."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class CrossEntropy(nn.Module):
    """Cross-entropy with label smoothing (Szegedy et al., 2016) and class weights.

    Args:
        class_counts: Training images of each class; the classifier fills it in.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1].
        class_weights: `balanced` weighs a class by N / (K * its count), as scikit-learn does; a
            list gives the weights; None weighs all alike.

    Raises:
        ValueError: If a list has not one weight a class.
    """

    weight: Tensor | None

    def __init__(
        self,
        class_counts: Sequence[int],
        label_smoothing: float = 0.0,
        class_weights: Literal["balanced"] | list[float] | None = None,
    ) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        if class_weights == "balanced":
            weight = balanced_weights(class_counts)
        elif class_weights is not None and len(class_weights) != len(class_counts):
            raise ValueError(
                f"Expected class_weights to be `balanced` or a list of {len(class_counts)} "
                f"numbers, one a class, got {len(class_weights)}."
            )
        else:
            weight = None if class_weights is None else torch.tensor(class_weights)
        # Not persistent: it belongs to the training data, and a checkpoint must load without.
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        return cross_entropy(
            logits, labels, weight=self.weight, label_smoothing=self.label_smoothing
        )


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Weight of each class, N / (K * its count): 1 for all where all have as many images.

    K counts the classes that have images; the others, which are never trained on, weigh 1.
    """
    counts = torch.tensor(class_counts, dtype=torch.float32)
    present = counts > 0
    balanced = counts.sum() / (present.sum() * counts.clamp_min(1))
    return torch.where(present, balanced, 1.0)
