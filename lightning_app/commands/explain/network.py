"""A trained network with what has to be known to show it images."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Network(NamedTuple):
    """A network that is to be explained.

    Attributes:
        model: Maps images in [0, 1], (N, num_channels, image_size, image_size), to logits.
        class_names: Name of each logit.
        image_size: Side of the images in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        title: What the pictures say that it is.
        run_id: The run that trained it, if that is known.
    """

    model: nn.Module
    class_names: tuple[str, ...]
    image_size: int
    num_channels: int
    title: str
    run_id: str | None = None

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.model.parameters()).device


class Normalized(nn.Module):
    """A network of a library, which expects images that are normalised already.

    Args:
        normalize: Makes them so.
        network: Maps what it makes to logits.
    """

    def __init__(self, normalize: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.normalize, self.network = normalize, network

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, C, H, W), to logits (N, K)."""
        return self.network(self.normalize(images))
