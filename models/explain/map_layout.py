"""Layout of feature maps: which outputs of layers are maps, and how to reshape them."""

from collections.abc import Callable

import torch
from torch import Tensor

MIN_SIDE = 4  # positions per side; a smaller map hardly localises anything


class NothingToShow(ValueError):
    """The network or the dataset has nothing of the kind that a picture shows."""


ToMap = Callable[[Tensor], Tensor]  # output of a layer -> (N, D, h, w)


def map_layout(output: Tensor, images: Tensor) -> ToMap | None:
    """Function that reshapes a layer's output to (N, D, h, w); None if it is not a feature map.

    Maps are recognised by their shape: (N, D, h, w) of convolutional networks, (N, h, w, D) of
    Swin, and tokens (N, h * w + prefix, D) of ViT.

    Args:
        output: Output of a layer for the images.
        images: (N, C, H, W).
    """
    height, width = images.shape[2:]
    if output.shape[:1] != images.shape[:1]:  # such as the windows of Swin
        return None
    if output.ndim == 4 and _same_ratio(output.shape[2:], (height, width)):
        return _as_is
    if output.ndim == 4 and _same_ratio(output.shape[1:3], (height, width)):
        return _channels_last
    if output.ndim == 3:
        return _tokens(output.shape[1], height, width)
    return None


def _same_ratio(grid: torch.Size, image: tuple[int, int]) -> bool:
    """Whether a grid of more than one position has the shape of the downscaled image."""
    rows, columns = grid
    if rows * columns <= 1 or rows > image[0] or columns > image[1]:
        return False
    return abs(rows / image[0] - columns / image[1]) < 1 / min(image)


def _as_is(output: Tensor) -> Tensor:
    return output


def _channels_last(output: Tensor) -> Tensor:
    return output.permute(0, 3, 1, 2)


def _tokens(num_tokens: int, height: int, width: int) -> ToMap | None:
    """Reshape tokens of square patches, which follow up to five prefix tokens."""
    for prefix in range(min(6, num_tokens)):  # class and distillation tokens, registers
        rows = round(((num_tokens - prefix) * height / width) ** 0.5)
        columns = (num_tokens - prefix) // max(rows, 1)
        fits = 1 < rows <= height and rows * columns == num_tokens - prefix
        if (
            fits
            and height // (height // rows) == rows  # whole patches; the rest at the edge is ignored
            and _same_ratio(torch.Size((rows, columns)), (height, width))
        ):
            return lambda output, p=prefix, r=rows, c=columns: (
                output[:, p:].transpose(1, 2).unflatten(2, (r, c))
            )
    return None
