"""The feature maps of a layer as pictures, beside the image that they answer to."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.mosaic import plot_mosaic
from callbacks.plots.drawing.scale import magnitude_scale, signed_scale


def plot_feature_maps(
    maps: np.ndarray, image: np.ndarray, constant: np.ndarray, title: str, one_scale: bool = False
) -> Figure:
    """Draw maps, those that say nothing crossed out.

    A magnitude is drawn from 0 up, values of both signs symmetrically about 0.

    Args:
        maps: (D, h, w).
        image: In [0, 1], (H, W, 3) or (H, W, 1).
        constant: Maps to cross out, (D,).
        title: What is shown, in a few short lines.
        one_scale: Whether all maps share a scale; else each is drawn relative to its maximum.
    """
    label = "output"
    if not one_scale:
        limits = np.abs(maps).max(axis=(1, 2), keepdims=True)
        maps = maps / np.where(limits > 0, limits, 1)
        label = "output, share of each map's own maximum"
    scale = (signed_scale if (maps < 0).any() else magnitude_scale)(maps[~constant], label)
    head = np.broadcast_to(image, (*image.shape[:2], 3)).clip(0, 1)
    return plot_mosaic(scale.paint(maps), title, scale, head, constant)
