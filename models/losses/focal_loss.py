"""Focal loss: images that are classified well count less."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from models.losses.loss import ClassWeights, total_weight, weights_of


class FocalLoss(nn.Module):
    """Focal loss (Lin et al., 2017) of the softmax: (1 - p) ** gamma times the cross-entropy.

    Args:
        class_counts: Training images of each class; the classifier fills it in.
        gamma: Exponent, 0 or more: the larger, the less an easy image counts; 0 is cross-entropy.
        class_weights: As in `CrossEntropy`; the paper calls them alpha.

    Raises:
        ValueError: If gamma is negative, or a list does not have one weight per class.
    """

    weight: Tensor | None

    def __init__(
        self,
        class_counts: Sequence[int],
        gamma: float = 2.0,
        class_weights: ClassWeights = None,
    ) -> None:
        super().__init__()
        if not (isfinite(gamma) and gamma >= 0):
            raise ValueError(f"Expected gamma of 0 or more, got {gamma:g}.")
        self.gamma = gamma
        # Not persistent: it follows from the training set, and checkpoints must load without it.
        self.register_buffer("weight", weights_of(class_weights, class_counts), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        log_p = logits.log_softmax(dim=1)
        shares = one_hot(labels, logits.shape[1]) if labels.ndim == 1 else labels
        # Not 0, where the power has an infinite slope if gamma is below 1.
        missing = (-log_p.expm1()).clamp_min(torch.finfo(log_p.dtype).eps)
        losses = -shares * missing**self.gamma * log_p
        if self.weight is not None:
            losses = losses * self.weight
        return losses.sum() / total_weight(labels, self.weight)
