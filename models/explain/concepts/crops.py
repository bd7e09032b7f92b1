"""Crops: overlapping parts of images, in which concepts are looked for."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

STEP = 0.8  # largest distance from one crop to the next, relative to their side, as in the paper


class Box(NamedTuple):
    """A part of an image, in pixels."""

    top: int
    left: int
    height: int
    width: int


def crop_boxes(size: Sequence[int], share: float) -> list[Box]:
    """A grid of overlapping boxes that covers an image, row by row.

    Args:
        size: Height and width of the image, in pixels.
        share: Height and width of a box relative to the image, in (0, 1].

    Raises:
        ValueError: If the share is out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"crop is {share:g}; expected more than 0 and at most 1.")
    height, width = size
    tall, wide = max(round(share * height), 1), max(round(share * width), 1)
    tops, lefts = _starts(height, tall), _starts(width, wide)
    return [Box(top, left, tall, wide) for top in tops for left in lefts]


def cut(images: Tensor, box: Box) -> Tensor:
    """A part of each image, (N, C, height, width)."""
    top, left, height, width = box
    return images[..., top : top + height, left : left + width]


def enlarged_crops(image: Tensor, boxes: list[Box], scale: float = 1.0) -> Tensor:
    """The parts of an image (C, H, W) at the size of the image, (K, C, H, W), times a scale."""
    parts = torch.stack([cut(image, box) for box in boxes])
    size = [round(scale * side) for side in image.shape[1:]]
    return interpolate(parts, size, mode="bilinear", align_corners=False)


def _starts(side: int, part: int) -> list[int]:
    """First pixels of the fewest evenly spread parts whose distance is small enough."""
    steps = ceil((side - part) / (STEP * part) - 1e-9)
    return [round(index * (side - part) / max(steps, 1)) for index in range(steps + 1)]
