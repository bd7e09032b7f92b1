"""Class activation: images beside themselves under their heat maps."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import Scale
from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.grid_version import TILES, set_grid_version, small_sheet
from callbacks.plots.drawing.overlays import CMAP, beside, overlaid
from callbacks.plots.drawing.texts import shorten

NAME_LENGTH, COLUMNS = 12, 3  # of the version in the grid


def plot_overlays(
    images: np.ndarray,
    maps: np.ndarray,
    captions: Sequence[str],
    colors: Sequence[str],
    title: str,
    columns: int = 3,
) -> Figure:
    """Draw each image, and beside it the same image under its heat map.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: In [0, 1], (N, H, W); a map that is 0 everywhere is captioned "no evidence".
        captions: A line or more for each image.
        colors: Colour of each caption.
        title: Title of the figure.
        columns: Most images in a row.
    """
    rgb = np.broadcast_to(images, (*images.shape[:3], 3))
    overlays = overlaid(images, maps)
    pairs = beside(rgb, overlays)
    notes = [
        f"{caption} (no evidence)" if not map_.any() else caption
        for caption, map_ in zip(captions, maps, strict=True)
    ]
    scale = Scale(CMAP, 0, 1, "evidence (1 = strongest)")
    columns = min(columns, len(pairs))
    figure = plot_contact_sheet(pairs, notes, columns, title, colors, scale=scale)
    return set_grid_version(figure, _small_overlays, overlays, captions, colors)


def _small_overlays(overlays: np.ndarray, captions: Sequence[str], colors: Sequence[str]) -> Figure:
    """The first overlays alone, each with the first word of its caption."""
    words = [shorten(caption.split("\n")[0], NAME_LENGTH) for caption in captions]
    return small_sheet(overlays[:TILES], COLUMNS, words[:TILES], colors)
