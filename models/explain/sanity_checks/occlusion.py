"""Occlusion (Zeiler and Fergus, 2014): how removing a part of an image changes the prediction."""

from itertools import product

import torch
from torch import Tensor, nn

from models.explain.sanity_checks.removal import mean_color


@torch.no_grad()
def occlusion(
    model: nn.Module,
    images: Tensor,
    classes: Tensor,
    window: int,
    stride: int = 1,
    baseline: Tensor | None = None,
) -> Tensor:
    """How much the probability of a class falls if a square of the image is removed.

    It needs no gradients, but one forward pass per square.

    Args:
        model: Maps images to logits; in eval mode.
        images: (N, C, H, W) in [0, 1].
        classes: (N,).
        window: Side of the square, in pixels.
        stride: Distance from one square to the next, in pixels.
        baseline: Replacement of the pixels, (N, C, H, W); None for the mean colour.

    Returns:
        Mean fall over the squares that contain a pixel, (N, H, W), in [-1, 1].

    Raises:
        ValueError: If the square or the stride is below 1, or the square is larger than the image.
    """
    height, width = images.shape[2:]
    if not (1 <= window <= min(height, width) and stride >= 1):
        raise ValueError(
            f"Expected a window of 1 to {min(height, width)} pixels and a stride of 1 or more, "
            f"got {window} and {stride}."
        )
    baseline = mean_color(images) if baseline is None else baseline
    before = _probability(model, images, classes)
    falls, counts = torch.zeros_like(images[:, 0]), torch.zeros_like(images[0, 0])
    for top, left in product(_starts(height, window, stride), _starts(width, window, stride)):
        square = (..., slice(top, top + window), slice(left, left + window))
        occluded = images.clone()
        occluded[square] = baseline[square]
        falls[square] += (before - _probability(model, occluded, classes))[:, None, None]
        counts[square] += 1
    return falls / counts


def _probability(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    return model(images).softmax(dim=1).gather(1, classes[:, None])[:, 0]


def _starts(side: int, window: int, stride: int) -> list[int]:
    """First pixels of the squares; the last square ends at the edge of the image."""
    return [*range(0, side - window, stride), side - window]
