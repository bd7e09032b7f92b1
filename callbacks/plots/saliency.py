"""Saliency: one row per image, one column per method."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from callbacks.plots.drawing.contact_sheet import GAP, TITLE_FONT, TITLE_INCHES, add_colorbar
from callbacks.plots.drawing.grid_version import set_grid_version, small_sheet
from callbacks.plots.drawing.style import DPI
from callbacks.plots.drawing.texts import inches_of, shorten, wrapped

CMAP = "inferno"
PERCENTILE = 99.0  # of a map that gets the brightest colour: single pixels are outliers
INCHES, STEP = 1.25, 1 + GAP  # width of a tile, and distance between tiles in tiles
FONT, LINE = 8, 0.15  # of captions and headers: points, and inches per line
ACROSS, DOWN = 4, 3  # images in the grid version
NAME_LENGTH = 22  # letters in a line of a caption
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
    height, width = images.shape[1:3]
    notes = ["\n".join(shorten(line, NAME_LENGTH) for line in c.split("\n")) for c in captions]
    heads = [_head(name) for name in ("image", *maps)]
    beside = max(inches_of(note, FONT) for note in notes) + 0.1
    above = LINE * max(head.count("\n") + 1 for head in heads)
    across, down = len(heads) * STEP - GAP, (len(images) * STEP - GAP) * height / width
    axes = _framed_axes((across * INCHES + beside, down * INCHES + above), title)
    axes.set_xlim(-beside / INCHES, across)
    axes.set_ylim(down, -above / INCHES)
    for column, head in enumerate(heads):
        axes.text(column * STEP + 0.5, -0.03, head, ha="center", va="bottom", fontsize=FONT)
    rgb = np.broadcast_to(images, (*images.shape[:3], 3))
    for column, pictures in enumerate([rgb, *map(_painted, maps.values())]):
        _draw_column(axes, column, pictures)
    for column, magnitudes in enumerate(maps.values(), start=1):
        for row in np.flatnonzero(~magnitudes.any(axis=(1, 2))):
            place = (column * STEP + 0.5, (row * STEP + 0.5) * height / width)
            axes.text(*place, NOTHING, ha="center", va="center", fontsize=FONT, color=FAINT)
    for row, (note, color) in enumerate(zip(notes, colors, strict=True)):
        place = (-0.06, (row * STEP + 0.5) * height / width)
        axes.text(*place, note, ha="right", va="center", fontsize=FONT, color=color)
    add_colorbar(axes, CMAP, 0, 1, f"magnitude (1 = {PERCENTILE:g}th percentile of the map)")
    figure = axes.get_figure(root=True) or Figure()
    return set_grid_version(figure, _small_saliency, rgb, maps)


def _small_saliency(images: np.ndarray, maps: Mapping[str, np.ndarray]) -> Figure:
    """The first images, each with its first maps beside it."""
    columns = [images, *map(_painted, [*maps.values()][: ACROSS - 1])]
    rows = np.stack([column[:DOWN] for column in columns], axis=1)
    names = ["", *(name.replace("_", " ").split()[0] for name in maps)][: len(columns)]
    words = [*[""] * len(columns) * (len(rows[:DOWN]) - 1), *names]
    return small_sheet(rows.reshape(-1, *rows.shape[2:]), len(columns), words)


def _framed_axes(size: tuple[float, float], title: str) -> Axes:
    """Axes without a frame, of a size in inches, below a title."""
    title = wrapped(title, size[0] - 0.2, TITLE_FONT)
    height = size[1] + TITLE_INCHES * (title.count("\n") + 3)
    layout = ConstrainedLayoutEngine(h_pad=0.08, compress=True)
    figure = Figure(figsize=(size[0], height), dpi=DPI, layout=layout)
    figure.suptitle(title, fontsize=TITLE_FONT)
    axes = figure.subplots()
    axes.set_axis_off()
    return axes


def _draw_column(axes: Axes, column: int, pictures: np.ndarray) -> None:
    """Draw images, (N, H, W, 3), one below the other."""
    ratio = pictures.shape[1] / pictures.shape[2]
    for row, picture in enumerate(pictures):
        place = (column * STEP, column * STEP + 1, (row * STEP + 1) * ratio, row * STEP * ratio)
        axes.imshow(picture, extent=place, interpolation="nearest", aspect="equal")


def _painted(maps: np.ndarray) -> np.ndarray:
    """RGB colours of each map."""
    limits = np.percentile(maps, PERCENTILE, axis=(1, 2), keepdims=True)
    limits = np.where(limits > 0, limits, maps.max(axis=(1, 2), keepdims=True))
    scaled = np.divide(maps, limits, out=np.zeros_like(maps), where=limits > 0)
    return matplotlib.colormaps[CMAP](scaled.clip(0, 1))[..., :3]


def _head(method: str) -> str:
    return method.replace("gradient_times_input", "gradient\nx input").replace("_", "\n")
