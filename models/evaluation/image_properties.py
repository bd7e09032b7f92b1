"""Properties of images that can be computed: brightness, contrast, colour, detail."""

import numpy as np
import torch
from torch import Tensor

from models.evaluation.groupings import Grouping, group_numbers

QUARTERS = tuple(f"in the {which} quarter" for which in ("lowest", "second", "third", "highest"))


def image_properties(images: Tensor) -> Tensor:
    """Brightness, contrast, colourfulness and fine detail, (N, 4).

    They are the mean; the standard deviation; the mean difference of the largest and the smallest
    channel; and the mean difference of neighbouring pixels.

    Args:
        images: In [0, 1], (N, C, H, W).
    """
    grey = images.mean(dim=1)
    down, across = (grey.diff(dim=dim).abs().mean(dim=(1, 2)) for dim in (1, 2))
    colour = (images.amax(dim=1) - images.amin(dim=1)).mean(dim=(1, 2))
    return torch.stack(
        [grey.mean(dim=(1, 2)), grey.std(dim=(1, 2)), colour, (down + across) / 2], 1
    )


def property_groupings(properties: Tensor) -> dict[str, Grouping]:
    """The quarters of all images by each property; those that are the same for all are left out.

    Args:
        properties: See `image_properties`.
    """
    names = ("brightness", "contrast", "colourfulness", "fine detail")
    columns = zip(names, properties.T.numpy().astype(np.float64), strict=True)
    return {name: group_numbers(values, QUARTERS) for name, values in columns if np.ptp(values) > 0}
