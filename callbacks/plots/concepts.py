"""Concepts of a class: the importance of each, and the crops and images that show it most."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.overlays import overlaid
from callbacks.plots.drawing.style import BAD, DPI, GOOD
from callbacks.plots.drawing.texts import wrapped

TILE, GAP = 0.95, 0.06  # inches of the longer side; space between tiles, in tiles
BARS, MARGIN, NAMES = 1.75, 0.12, 0.3  # inches: width of the bars, around everything, left of them
HEAD, LINE, FOOT = 0.34, 0.2, 0.62  # inches: above the tiles, a line of the title, below the bars
BREAK = 0.25  # tiles between crops and images
FONT, TITLE_FONT = 8.5, 11  # points


class ConceptRow(NamedTuple):
    """A concept of a class.

    Attributes:
        importance: Its total Sobol index.
        fall: How much the logit falls without it.
        crops: The crops that show it most, in [0, 1], (h, w, C) each.
        images: The images that show it most, in [0, 1], (m, H, W, C).
        maps: Where they show it, in [0, 1], (m, H, W).
    """

    importance: float
    fall: float
    crops: Sequence[np.ndarray]
    images: np.ndarray
    maps: np.ndarray


def plot_concepts(rows: Sequence[ConceptRow], title: str) -> Figure:
    """Draw a row for each concept: its importance, its crops, and where images show it.

    Args:
        rows: The concepts, the most important first.
        title: Title of the figure; long lines are wrapped.
    """
    crops, images = max(len(row.crops) for row in rows), max(len(row.images) for row in rows)
    ratio = rows[0].images.shape[1] / rows[0].images.shape[2]
    across = (crops + images) * (1 + GAP) + BREAK
    size = (across * TILE, len(rows) * (ratio + GAP) * TILE)
    left = 2 * MARGIN + NAMES + BARS
    width = left + size[0] + MARGIN
    title = wrapped(title, width - 2 * MARGIN, TITLE_FONT)
    top = MARGIN + LINE * (title.count("\n") + 1) + HEAD
    height = top + size[1] + FOOT
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.text(
        MARGIN / width, 1 - MARGIN / height, title, fontsize=TITLE_FONT, va="top", linespacing=1.3
    )
    bottom, part = FOOT / height, size[1] / height
    bars = figure.add_axes(((MARGIN + NAMES) / width, bottom, BARS / width, part))
    tiles = figure.add_axes((left / width, bottom, size[0] / width, part))
    _draw_bars(bars, rows)
    _draw_tiles(tiles, rows, crops, ratio)
    return figure


def _draw_bars(axes: Axes, rows: Sequence[ConceptRow]) -> None:
    """The importance of each concept, and below it what happens without the concept."""
    values, places = [row.importance for row in rows], np.arange(len(rows))
    colors = [GOOD if row.fall >= 0 else BAD for row in rows]
    axes.barh(places, values, height=0.3, color=colors)
    limit = max(*values, 1e-9)
    for place, row in enumerate(rows):
        axes.text(0.02 * limit, place - 0.2, f"{row.importance:.2f}", fontsize=FONT, va="bottom")
        change = f"without it: logit {-row.fall:+.2f}".replace("-", "\N{MINUS SIGN}")
        axes.text(0.02 * limit, place + 0.2, change, fontsize=FONT, va="top")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.05 * limit)
    axes.set_yticks(places, [str(place + 1) for place in places], fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_xlabel("importance (total Sobol index)\nblue: raises the logit; vermilion: lowers it")
    axes.xaxis.label.set_fontsize(7.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Importance", fontsize=FONT + 1, loc="left")


def _draw_tiles(axes: Axes, rows: Sequence[ConceptRow], crops: int, ratio: float) -> None:
    second = crops * (1 + GAP) + BREAK
    for index, row in enumerate(rows):
        top = index * (ratio + GAP) + GAP / 2
        for start, tiles in ((0.0, row.crops), (second, overlaid(row.images, row.maps))):
            for column, picture in enumerate(tiles):
                left = start + column * (1 + GAP)
                shown = np.broadcast_to(picture, (*picture.shape[:2], 3)).clip(0, 1)
                axes.imshow(shown, extent=(left, left + 1, top + ratio, top))
    images = max(len(row.images) for row in rows)
    axes.set_xlim(0, second + images * (1 + GAP))
    axes.set_ylim(len(rows) * (ratio + GAP), 0)
    axes.set_aspect("auto")
    axes.set_axis_off()
    heads = {0.0: "Crops that show it most", second: "Images, and where they show it"}
    for start, head in heads.items():
        axes.text(start, -0.07, head, fontsize=FONT + 1, va="bottom")
