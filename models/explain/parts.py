"""Parts of images: blur one, or exchange it between images, to see whether a network needs it."""

from typing import Literal

import torch
from torch import Tensor

from models.explain.sanity_checks.removal import blurred

How = Literal["blurred", "exchanged"]
HOWS: tuple[How, ...] = ("blurred", "exchanged")
CORNER, BORDER = 4, 16  # side of the image relative to that of a corner, and to the border's width
# Where a subject seldom is: a network that needs them may have learned a watermark or a frame.
OUTSIDE = (
    "border",
    "upper left corner",
    "upper right corner",
    "lower left corner",
    "lower right corner",
)
PARTS = (*OUTSIDE, "centre", "colour", "high frequencies")


def without_part(images: Tensor, part: str, how: How, seed: int = 0) -> Tensor:
    """Images without one of their parts.

    Blurred, a region keeps its mean colour, colours become grey, and what is finer than an eighth
    of the side is lost. Exchanged, each image gets the part of another one: the part looks as real
    as before, and says nothing about the class.

    Args:
        images: In [0, 1], (N, C, H, W).
        part: One of `PARTS`. The border has no corners. Regions are a quarter of the sides wide
            and high, the border a sixteenth wide, the centre half as wide and high as the image.
        how: How it is removed.
        seed: Of the exchange.

    Returns:
        The changed images, in [0, 1].
    """
    others = _others(images, seed)
    if part == "colour":
        changed = _grey(images) + (others - _grey(others) if how == "exchanged" else 0)
    elif part == "high frequencies":
        changed = blurred(images) + (others - blurred(others) if how == "exchanged" else 0)
    else:
        other = others if how == "exchanged" else blurred(images)
        changed = torch.where(region(part, *images.shape[2:]).to(images.device), other, images)
    return changed.expand_as(images).clamp(0, 1)


def region(part: str, height: int, width: int) -> Tensor:
    """The pixels of a region of `PARTS`, boolean (H, W)."""
    tall, wide = (max(side // CORNER, 1) for side in (height, width))
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    first, last = rows < tall, rows >= height - tall
    left, right = columns < wide, columns >= width - wide
    inside = ~(first | last), ~(left | right)
    if part == "centre":
        return inside[0] & inside[1]
    if part == "border":
        high, broad = (max(side // BORDER, 1) for side in (height, width))
        ends = (rows < high) | (rows >= height - high)
        sides = (columns < broad) | (columns >= width - broad)
        return (ends & inside[1]) | (sides & inside[0])
    return (first if part.startswith("upper") else last) & (left if "left" in part else right)


def _others(images: Tensor, seed: int) -> Tensor:
    """For each image another one, drawn at random."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    partner = torch.empty_like(order)
    partner[order] = order.roll(1)
    return images[partner.to(images.device)]


def _grey(images: Tensor) -> Tensor:
    """Brightness as the eye sees it (ITU-R BT.601), (N, 1, H, W)."""
    if images.shape[1] != 3:
        return images.mean(dim=1, keepdim=True)
    weights = images.new_tensor([0.299, 0.587, 0.114])
    return (images * weights[:, None, None]).sum(dim=1, keepdim=True)
