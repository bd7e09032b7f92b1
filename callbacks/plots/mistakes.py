"""Sheets of images that a network gets wrong."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.overlays import CMAP, overlaid
from callbacks.plots.sheet import add_colorbar, plot_sheet

TILE_INCHES = 1.5  # an image is looked at, and a caption has two names and three numbers
CAPTION = 0.35  # height of the captions, in tiles


def plot_mistakes(
    images: np.ndarray,
    maps: np.ndarray | None,
    captions: Sequence[str],
    colors: Sequence[str],
    title: str,
) -> Figure:
    """Images in a sheet that is nearly square, each above itself under its map.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Where the evidence for the prediction lies, in [0, 1], (N, H, W); None for none.
        captions: A few lines for each image.
        colors: Colour of each caption.
        title: What the images have in common.
    """
    tiles = np.broadcast_to(images, (*images.shape[:3], 3))
    notes = list(captions)
    if maps is not None:
        gap = np.ones((len(tiles), max(1, tiles.shape[1] // 24), *tiles.shape[2:]))
        tiles = np.concatenate([tiles, gap, overlaid(images, maps)], axis=1)
        notes = [
            note if map_.any() else f"{note}\n(no evidence)"
            for note, map_ in zip(notes, maps, strict=True)
        ]
    ratio = tiles.shape[1] / tiles.shape[2] + CAPTION
    rows = -(-len(tiles) // max(1, round((len(tiles) * ratio) ** 0.5)))
    columns = -(-len(tiles) // rows)  # so that the last row is nearly full
    figure = plot_sheet(tiles, notes, columns, title, colors, TILE_INCHES)
    if maps is not None:
        add_colorbar(figure.axes[0], CMAP, 0, 1, "evidence for the prediction (1 = strongest)")
    return figure
