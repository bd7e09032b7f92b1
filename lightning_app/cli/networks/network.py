"""Trained network with its input size, channels and class names."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from datamodules.sources.resizing import Resize
from models import ImageClassifier
from models.precision import precision_of_fit


class Network(NamedTuple):
    """A network to explain.

    Attributes:
        model: Maps images in [0, 1], (N, num_channels, image_size, image_size), to logits.
        class_names: Name of each logit.
        image_size: Side of the images in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        title: Name of the network in the pictures.
        run_id: Run that trained it, if known.
        resize: How it was trained to see images that are not square.
    """

    model: nn.Module
    class_names: tuple[str, ...]
    image_size: int
    num_channels: int
    title: str
    run_id: str | None = None
    resize: Resize = "squeeze"

    @property
    def device(self) -> torch.device:
        """The device of its weights."""
        return next(self.model.parameters()).device


class Normalized(nn.Module):
    """A network of a library, which expects normalised images, behind its normalisation.

    Args:
        normalize: Normalises images in [0, 1].
        network: Maps normalised images to logits.
    """

    def __init__(self, normalize: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.normalize, self.network = normalize, network

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, C, H, W), to logits (N, K)."""
        return self.network(self.normalize(images))


def outputs_of(network: Network, images: Tensor) -> dict[str, Tensor]:
    """Logits, (N, K), of images, and if the network can tell, `similarity`, on the CPU.

    See `models.evaluation.unknowns` for the similarity.

    Args:
        network: The network, in eval mode.
        images: In [0, 1], (N, num_channels, image_size, image_size), on any device.
    """
    model, given = network.model, images.to(network.device)
    with torch.inference_mode(), precision_of_fit(model):
        known = isinstance(model, ImageClassifier)
        found: Any = model.predict_step([given], 0) if known else {"logits": model(given)}
    kept = ("logits", "similarity")
    return {name: found[name].float().cpu() for name in kept if name in found}
