"""Removal curves: deletion and insertion for several maps of the same images."""

import torch
from torch import Tensor, nn

from models.explain.sanity_checks.removal import blurred, mean_color, replacement_curve


class RemovalCurves:
    """Deletion and insertion curves of several maps, whose common ends are computed once.

    With no pixel replaced, or all of them, the image is the same whatever the map.

    Args:
        model: Maps images to logits; in eval mode.
        images: (N, C, H, W) in [0, 1].
        classes: The class of each image, (N,).
        num_steps: Number of steps from no pixel to all.
    """

    def __init__(self, model: nn.Module, images: Tensor, classes: Tensor, num_steps: int) -> None:
        self.model, self.classes, self.num_steps = model, classes, num_steps
        self.images, self.grey, self.blurred = images, mean_color(images), blurred(images)
        self._whole, self._without, self._blur = (
            self._probability(each) for each in (images, self.grey, self.blurred)
        )

    def deletion(self, maps: Tensor) -> Tensor:
        """As `deletion_curve`, (N, num_steps + 1)."""
        return self._curve(self.images, self.grey, maps, (self._whole, self._without))

    def insertion(self, maps: Tensor) -> Tensor:
        """As `insertion_curve`, (N, num_steps + 1)."""
        return self._curve(self.blurred, self.images, maps, (self._blur, self._whole))

    def _curve(
        self, start: Tensor, end: Tensor, maps: Tensor, ends: tuple[Tensor, Tensor]
    ) -> Tensor:
        return replacement_curve(
            self.model, start, end, maps, self.classes, self.num_steps, ends=ends
        )

    @torch.no_grad()
    def _probability(self, images: Tensor) -> Tensor:
        probabilities = self.model(images).float().softmax(dim=1)
        return probabilities.gather(1, self.classes[:, None])[:, 0]
