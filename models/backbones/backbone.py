"""Backbone: base class of networks without their classifier."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """A network without its classifier, which maps each image to a feature vector.

    Our own networks and those of timm and torchvision have the same three members, so that no code
    branches on the architecture. A backbone normalises its input itself, since mean and standard
    deviation belong to the weights.

    Attributes:
        num_features: Length of the feature vector.
        pretrained: Whether it was built with weights from another training.
    """

    num_features: int
    pretrained: bool = False

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, num_channels, H, W), to features (N, num_features)."""

    @abstractmethod
    def stages(self) -> dict[str, list[str]]:
        """Names of the parameters of each stage, from input to output; each is in one stage."""


class Normalize(nn.Module):
    """Subtract the mean and divide by the standard deviation of each channel.

    Args:
        mean: Mean of each channel of images in [0, 1].
        std: Standard deviation of each channel.
        num_channels: Channels of the images; if it differs from the length of `mean`, the average
            over the channels is used for all.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], num_channels: int) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            channels = torch.tensor(values)
            if len(channels) != num_channels:
                channels = channels.mean().expand(num_channels).clone()
            # Not persistent: it follows from the configuration and is not a running statistic.
            self.register_buffer(name, channels.view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1] to images of about zero mean and unit variance."""
        return (images - self.mean) / self.std


def check_image_size(images: Tensor, image_size: int) -> None:
    """Check that images have the size that the network was built for.

    Args:
        images: (N, C, H, W).
        image_size: Side of the square images, in pixels.

    Raises:
        ValueError: If height or width differ from it.
    """
    height, width = images.shape[2:]
    if (height, width) != (image_size, image_size):
        raise ValueError(
            f"The network was built for images of {image_size} x {image_size} pixels, got "
            f"{height} x {width}: set image_size of the backbone to that of the data."
        )


def stages_of_children(network: nn.Module, prefix: str = "") -> dict[str, list[str]]:
    """One stage for each child module with parameters, in the order of definition."""
    stages = {
        name: [f"{prefix}{name}.{parameter}" for parameter, _ in child.named_parameters()]
        for name, child in network.named_children()
    }
    return {name: parameters for name, parameters in stages.items() if parameters}
