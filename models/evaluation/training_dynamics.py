"""Training dynamics: what a network made of each training image while it learned."""

from typing import NamedTuple

import torch
from torch import Tensor

PARTS = ("probabilities", "squares", "margins", "counts")


class TrainingDynamics(NamedTuple):
    """Statistics of N training images over the epochs; NaN for one that was never seen.

    Attributes:
        probabilities: Mean probability of each class, (N, K).
        mean: Mean probability of the label, (N,), in [0, 1].
        spread: Standard deviation of the probability of the label, (N,), in [0, 0.5].
        margin: Area under the margin, (N,): the mean of the logit of the label minus the highest
            other one.
        counts: How often each image was seen, (N,).
    """

    probabilities: Tensor
    mean: Tensor
    spread: Tensor
    margin: Tensor
    counts: Tensor


class DynamicsSums:
    """Sums over the training batches, from which the training dynamics follow.

    Mean and spread are the axes of a data map (Swayamdipta et al., 2020): images that are easy
    (high mean), ambiguous (large spread) or hard to learn (low mean, small spread). The area under
    the margin (Pleiss et al., 2020) is low for wrong labels. Sums need no more memory in longer
    fits, and those of several processes are added up.

    Args:
        num_images: Number of training images N.
        num_classes: Number of classes K.
        device: Where the batches are.
    """

    def __init__(self, num_images: int, num_classes: int, device: torch.device) -> None:
        self.probabilities = torch.zeros(num_images, num_classes, device=device)
        self.squares = torch.zeros(num_images, device=device)
        self.margins = torch.zeros(num_images, device=device)
        self.counts = torch.zeros(num_images, device=device)

    def update(self, logits: Tensor, labels: Tensor, indices: Tensor) -> None:
        """Add images; those whose logits are not finite are left out.

        Args:
            logits: (B, K).
            labels: Classes, (B,).
            indices: Which of the training images they are, (B,).
        """
        logits = logits.float()
        good = logits.isfinite().all(dim=1).float()
        logits, rows = logits.nan_to_num(0, 0, 0), labels[:, None]
        probabilities = logits.softmax(dim=1) * good[:, None]
        own = logits.gather(1, rows)[:, 0]
        other = logits.scatter(1, rows, -torch.inf).amax(dim=1)
        self.probabilities.index_add_(0, indices, probabilities)
        self.squares.index_add_(0, indices, probabilities.gather(1, rows)[:, 0].square())
        self.margins.index_add_(0, indices, (own - other) * good)
        self.counts.index_add_(0, indices, good)

    def result(self, labels: Tensor) -> TrainingDynamics:
        """The statistics, on the CPU.

        Args:
            labels: Labels of the training images, (N,).
        """
        counts = self.counts.cpu().double()
        probabilities = self.probabilities.cpu().double() / counts[:, None]
        mean = probabilities.gather(1, labels[:, None])[:, 0]
        variance = self.squares.cpu().double() / counts - mean.square()
        margin = self.margins.cpu().double() / counts
        return TrainingDynamics(probabilities, mean, variance.clamp_min(0).sqrt(), margin, counts)
