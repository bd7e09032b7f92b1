"""Saliency: one row per image, one column per method."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import Scale
from callbacks.plots.drawing.contact_sheet import GAP, titled_page
from callbacks.plots.drawing.grid_version import set_grid_version, small_sheet
from callbacks.plots.drawing.page import Box, as_bytes, resized, show, write
from callbacks.plots.drawing.style import DPI
from callbacks.plots.drawing.texts import inches_of, shorten

CMAP = "inferno"
PERCENTILE = 99.0  # of a map that gets the brightest colour: single pixels are outliers
WIDTH = 162  # pixels of a tile
FONT, LINE = 8, 20  # of captions and headers: points, and pixels per line
ACROSS, DOWN = 4, 3  # images in the grid version
NAME_LENGTH = 22  # letters in a line of a caption
BLACK = matplotlib.colormaps[CMAP](0.0, bytes=True)[:3]  # a map that is zero everywhere
NOTHING, FAINT = "no signal", "#a0a0a0"  # text on a map that is zero everywhere, and its colour


def plot_saliency(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    captions: Sequence[str],
    colors: Sequence[str],
    title: str,
) -> Figure:
    """Draw images and their maps; each map has its own scale.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Magnitudes by method, not negative, (N, H, W).
        captions: A line or two for each image.
        colors: Colour of each caption.
        title: Title of the figure.
    """
    images, gap = _shrunk(images), round(GAP * WIDTH)
    height = round(WIDTH * images.shape[1] / images.shape[2])
    columns = [as_bytes(np.broadcast_to(images, (*images.shape[:3], 3)))]
    columns += [_painted(_shrunk(each[..., None])[..., 0]) for each in maps.values()]
    notes = ["\n".join(shorten(line, NAME_LENGTH) for line in c.split("\n")) for c in captions]
    heads = [_head(name) for name in ("image", *maps)]
    beside = round(max(inches_of(note, FONT) for note in notes) * DPI) + gap
    above = LINE * max(head.count("\n") + 1 for head in heads)
    size = (len(columns) * (WIDTH + gap) - gap, len(images) * (height + gap) - gap)
    scale = Scale(CMAP, 0, 1, f"magnitude (1 = {PERCENTILE:g}th percentile of the map)")
    figure, sheet = titled_page(size, title, scale, (beside, above))
    for column, (head, pictures) in enumerate(zip(heads, columns, strict=True)):
        box = Box(sheet.left + column * (WIDTH + gap), sheet.top, WIDTH, height)
        write(figure, box.middle[0], box.top - 3, head, FONT, ha="center", va="bottom")
        _show_column(figure, pictures, box, height + gap)
    for row, (note, color) in enumerate(zip(notes, colors, strict=True)):
        y = sheet.top + row * (height + gap) + height / 2
        write(figure, sheet.left - gap, y, note, FONT, ha="right", va="center", color=color)
    names = ["", *(name.replace("_", " ").split()[0] for name in maps)]
    return set_grid_version(figure, _small_saliency, columns[:ACROSS], names[:ACROSS])


def _show_column(figure: Figure, pictures: np.ndarray, first: Box, step: int) -> None:
    """Draw images, (N, H, W, 3), one below the other; `step` is their distance."""
    for row, picture in enumerate(pictures):
        box = first._replace(top=first.top + row * step)
        show(figure, picture, box)
        if (picture == BLACK).all():
            write(figure, *box.middle, NOTHING, FONT, ha="center", va="center", color=FAINT)


def _small_saliency(columns: Sequence[np.ndarray], names: Sequence[str]) -> Figure:
    """The first images, each with its first maps beside it."""
    rows = np.stack([column[:DOWN] for column in columns], axis=1)
    words = [*[""] * len(columns) * (len(rows) - 1), *names]
    return small_sheet(rows.reshape(-1, *rows.shape[2:]), len(columns), words)


def _shrunk(pictures: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C), not larger than a tile, so that the scale is that of what is seen."""
    if pictures.shape[2] <= WIDTH:
        return pictures
    height = round(WIDTH * pictures.shape[1] / pictures.shape[2])
    return np.stack([resized(each, WIDTH, height) for each in pictures])


def _painted(maps: np.ndarray) -> np.ndarray:
    """RGB colours of each map, uint8."""
    limits = np.percentile(maps, PERCENTILE, axis=(1, 2), keepdims=True)
    limits = np.where(limits > 0, limits, maps.max(axis=(1, 2), keepdims=True))
    scaled = np.divide(maps, limits, out=np.zeros_like(maps), where=limits > 0)
    return matplotlib.colormaps[CMAP](scaled.clip(0, 1), bytes=True)[..., :3]


def _head(method: str) -> str:
    return method.replace("gradient_times_input", "gradient\nx input").replace("_", "\n")
