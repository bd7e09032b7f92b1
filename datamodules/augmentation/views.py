"""Test-time augmentation: several views of each image."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

View = Literal["mirror", "flip", "rotate90", "rotate180", "rotate270", "zoom"]
ZOOM = 0.875  # share of each side that is visible in the zoomed view


def with_views(images: Tensor, views: Sequence[View]) -> Tensor:
    """Each image and views of it.

    Args:
        images: (N, C, H, W).
        views: `mirror` swaps left and right, `flip` top and bottom, `rotate…` turns by that many
            degrees, `zoom` enlarges the middle.

    Returns:
        (N, 1 + number of views, C, H, W).
    """
    return torch.stack([images, *(_view(images, view) for view in views)], dim=1)


def _view(images: Tensor, view: View) -> Tensor:
    height, width = images.shape[-2:]
    if view == "zoom":
        middle = F.center_crop(images, [round(ZOOM * height), round(ZOOM * width)])
        return F.resize(middle, [height, width], antialias=True)
    if view in ("mirror", "flip"):
        return images.flip(-1 if view == "mirror" else -2)
    return images.rot90(int(view.removeprefix("rotate")) // 90, (-2, -1))
