"""Heat maps over the images that they explain."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.sheet import add_colorbar, plot_sheet

CMAP = "inferno"
STRONGEST = 0.75  # share of the image that the strongest place of a map covers


def plot_overlays(
    images: np.ndarray,
    maps: np.ndarray,
    captions: Sequence[str],
    colors: Sequence[str],
    title: str,
    columns: int = 3,
) -> Figure:
    """Each image beside itself under its map: the stronger the map, the more it covers.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: In [0, 1], (N, H, W); one that is 0 everywhere leaves its image as it is.
        captions: A line for each image.
        colors: Colour of each caption.
        title: What the maps mean.
        columns: Images in a row at most.
    """
    rgb = np.broadcast_to(images, (*images.shape[:3], 3))
    pairs = np.concatenate([rgb, overlaid(images, maps)], axis=2)
    notes = [
        f"{caption} (no evidence)" if not map_.any() else caption
        for caption, map_ in zip(captions, maps, strict=True)
    ]
    figure = plot_sheet(pairs, notes, min(columns, len(pairs)), title, colors)
    add_colorbar(figure.axes[0], CMAP, 0, 1, "evidence (1 = strongest)")
    return figure


def overlaid(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Images under their maps, (N, H, W, 3); see `plot_overlays`."""
    heat = matplotlib.colormaps[CMAP](maps)[..., :3]
    cover = STRONGEST * maps[..., None]
    return (1 - cover) * images + cover * heat
