"""Pointing game (Zhang et al., 2018): does the maximum of a map lie on the object?"""

import torch
from torch import Tensor

from models.explain.sanity_checks.inside import maximum_inside


def pointing_game(maps: Tensor, masks: Tensor) -> float:
    """Share of the maps whose maximum lies on the object; a constant map does not count as a hit.

    Args:
        maps: (N, H, W).
        masks: Pixels of the object, boolean, (N, H, W); see `box_masks`.

    Raises:
        ValueError: If maps and masks differ in shape.
    """
    if maps.shape != masks.shape:
        raise ValueError(
            f"Expected a mask for each map {tuple(maps.shape)}, got {tuple(masks.shape)}."
        )
    return maximum_inside(maps, masks).float().mean().item()


def box_masks(boxes: Tensor, height: int, width: int) -> Tensor:
    """Masks (N, height, width) of boxes (N, 4): top, left, bottom, right; the latter exclusive."""
    top, left, bottom, right = boxes[:, :, None, None].unbind(dim=1)
    rows = torch.arange(height, device=boxes.device)[:, None]
    columns = torch.arange(width, device=boxes.device)
    return (top <= rows) & (rows < bottom) & (left <= columns) & (columns < right)
