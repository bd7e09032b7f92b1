"""Logit adjustment: predictions as if all classes were equally frequent."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor, nn

from models.losses.loss import CrossEntropy


class LogitAdjustment(nn.Module):
    """Cross-entropy of logits + tau * log(share of the class) (Menon et al., 2021).

    In training, the frequency of a class is added to its logit, so that the network does not have
    to learn it. Predictions use the logits alone, as if all classes were equally frequent.

    Args:
        class_counts: Training images of each class; the classifier fills it in. A class without
            images counts as one with a single image.
        tau: Strength of the adjustment, 0 or more; 0 is cross-entropy, 1 is that of the paper.
        label_smoothing: As in `CrossEntropy`.

    Raises:
        ValueError: If tau is negative, or the smoothing out of range.
    """

    adjustment: Tensor

    def __init__(
        self, class_counts: Sequence[int], tau: float = 1.0, label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        if not (isfinite(tau) and tau >= 0):
            raise ValueError(f"Expected tau of 0 or more, got {tau:g}.")
        self.cross_entropy = CrossEntropy(class_counts, label_smoothing)
        counts = torch.tensor(class_counts, dtype=torch.float32).clamp_min(1)
        # Not persistent: it follows from the training set, and checkpoints must load without it.
        self.register_buffer("adjustment", tau * (counts / counts.sum()).log(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        return self.cross_entropy(logits + self.adjustment, labels)
