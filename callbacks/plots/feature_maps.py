"""Feature maps: the channels of a layer as small images, beside the input image."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import magnitude_scale, signed_scale
from callbacks.plots.drawing.mosaic import plot_mosaic


def plot_feature_maps(
    maps: np.ndarray, image: np.ndarray, constant: np.ndarray, title: str, one_scale: bool = False
) -> Figure:
    """Draw maps; constant ones are crossed out.

    The colour scale starts at 0, or is symmetric about 0 if there are negative values.

    Args:
        maps: (D, h, w).
        image: In [0, 1], (H, W, 3) or (H, W, 1).
        constant: Whether a map is constant, (D,).
        title: Title of the figure, in a few short lines.
        one_scale: Draw all maps on one scale, instead of each relative to its maximum.
    """
    label = "output"
    if not one_scale:
        limits = np.abs(maps).max(axis=(1, 2), keepdims=True)
        maps = maps / np.where(limits > 0, limits, 1)
        label = "output relative to the maximum of the map"
    scale = (signed_scale if (maps < 0).any() else magnitude_scale)(maps[~constant], label)
    head = np.broadcast_to(image, (*image.shape[:2], 3)).clip(0, 1)
    return plot_mosaic(scale.paint(maps), title, scale, head, constant)
