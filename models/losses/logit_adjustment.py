"""Logit adjustment: rare classes are recognised as well as frequent ones."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor, nn

from models.losses.loss import CrossEntropy


class LogitAdjustment(nn.Module):
    """Cross-entropy of logits + tau * log(share of the class) (Menon et al., 2021).

    In training the frequent classes get their lead for free, so the network learns logits without
    it; predictions come from those, and are made for classes that are equally frequent.

    Args:
        class_counts: Training images of each class; the classifier fills it in. A class without
            any counts as one with a single image.
        tau: How much of the lead is taken away, 0 or more; 0 is cross-entropy, 1 all of it.
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
        # Not persistent: it belongs to the training data, and a checkpoint must load without.
        self.register_buffer("adjustment", tau * (counts / counts.sum()).log(), persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of logits (N, num_classes) for labels (N,), or shares (N, num_classes)."""
        return self.cross_entropy(logits + self.adjustment, labels)
