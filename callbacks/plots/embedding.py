"""Embedding: images as points on a map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from callbacks.plots.drawing.grid_version import FONT, INCHES, set_grid_version, small_axes
from callbacks.plots.drawing.name_boxes import beside, box_sizes, draw_names, in_margins, is_crowded
from callbacks.plots.drawing.style import DPI, class_colors
from callbacks.plots.drawing.texts import inches_of, shorten

MAP_INCHES = 6.4  # inches, width and height of the map
TITLE, MARGIN = 0.6, 0.08
MAX_NAME = 24  # characters
SMALL_NAMES, SMALL_LENGTH = 12, 10  # classes and characters in the grid version
SMALL_ROOM, BOLD = 0.06, 1.15  # share of the map beside the points; width of bold letters
SMALL_FAR = 0.1  # no line leads to a name: it has to be near, see `beside`
SIDES = (0.3, 0.6)  # inches, shortest and longest of a thumbnail


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Images to draw instead of their points.

    Attributes:
        rows: Rows of these points, (n,).
        images: In [0, 1], (n, H, W, C).
    """

    rows: np.ndarray
    images: np.ndarray


def plot_embedding(
    points: np.ndarray,
    labels: np.ndarray,
    mistakes: np.ndarray,
    class_names: Sequence[str],
    named: Sequence[int],
    title: str,
    thumbnails: Thumbnails | None = None,
) -> Figure:
    """Draw points in the colour of their class, with a black ring around mistakes.

    The name of a class stands beside its central point, to which a line leads, or in the margin if
    names are long or many.

    Args:
        points: (N, 2).
        labels: True classes, (N,).
        mistakes: Whether the image is misclassified, (N,).
        class_names: Names of all K classes.
        named: Classes whose names are shown.
        title: Title of the figure, in two lines.
        thumbnails: Images to draw instead of points.
    """
    names = [shorten(class_names[k], MAX_NAME) for k in named]
    sizes, crowded = box_sizes(names), is_crowded(names, MAP_INCHES**2)
    column = sizes[:, 0].max() + MARGIN if crowded else 0.0
    low, high = points.min(axis=0), points.max(axis=0)
    reach = (0.58 if thumbnails else 0.54) * max(float((high - low).max()), 1e-6)
    inch = 2 * reach / MAP_INCHES
    axes = _map_axes((low + high) / 2, reach, column, title)
    colors = class_colors(len(class_names))
    _draw_points(axes, points, colors[labels], mistakes)
    if thumbnails:
        _draw_thumbnails(axes, points, colors[labels], mistakes, thumbnails, inch)
    middles = np.array([_middle(points[labels == k]) for k in named]).reshape(-1, 2)
    if crowded:
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        half = column / 2 * inch
        places = in_margins(middles, left + half, right - half, bottom, top)
    else:
        corners = np.stack([axes.get_xlim(), axes.get_ylim()], axis=1)
        places = beside(middles, sizes * inch, points, *corners)
    draw_names(axes, places, middles, names, colors[list(named)])
    figure = axes.get_figure(root=True) or Figure()
    return set_grid_version(figure, _small_map, points, colors[labels], mistakes, middles, names)


def _small_map(
    points: np.ndarray,
    colors: np.ndarray,
    mistakes: np.ndarray,
    middles: np.ndarray,
    names: Sequence[str],
) -> Figure:
    """The points, with the names of a few classes."""
    axes = small_axes()
    low, high = points.min(axis=0), points.max(axis=0)
    room = SMALL_ROOM * np.maximum(high - low, 1e-6)
    low, high = low - room, high + room
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    _draw_points(axes, points, colors, mistakes, 0.3)
    shown = [shorten(name, SMALL_LENGTH) for name in names] if len(names) <= SMALL_NAMES else []
    widths = [BOLD * inches_of(name, FONT) for name in shown]
    sizes = np.array([(width, 1.3 * FONT / 72) for width in widths]).reshape(-1, 2)
    sizes = sizes * (high - low) / INCHES
    places = beside(middles[: len(shown)], sizes, points, low, high, SMALL_FAR)
    look = {"fontsize": FONT, "ha": "center", "va": "center", "fontweight": "bold"}
    frame = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
    for (x, y), name in zip(places, shown, strict=True):
        axes.text(x, y, name, bbox=frame, **look)
    return axes.get_figure(root=True) or Figure()


def _middle(points: np.ndarray) -> np.ndarray:
    """The point nearest to the median: between two groups there may be no point."""
    away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    return points[away.argmin()]


def _map_axes(center: np.ndarray, reach: float, column: float, title: str) -> Axes:
    """Axes of a square map with a column for names on both sides; a layout engine is slow."""
    width, height = MAP_INCHES + 2 * (column + MARGIN), MAP_INCHES + MARGIN + TITLE
    figure = Figure(figsize=(width, height), dpi=DPI)
    box = (MARGIN / width, MARGIN / height, 1 - 2 * MARGIN / width, MAP_INCHES / height)
    axes = figure.add_axes(box)
    beside = reach * (1 + 2 * column / MAP_INCHES)
    axes.set_xlim(center[0] - beside, center[0] + beside)
    axes.set_ylim(center[1] - reach, center[1] + reach)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#c0c0bc")
    figure.text(0.5, 1 - MARGIN / height, title, ha="center", va="top", fontsize=10)
    return axes


def _draw_points(
    axes: Axes, points: np.ndarray, colors: np.ndarray, mistakes: np.ndarray, scale: float = 1.0
) -> None:
    size = scale * float(np.clip(6000 / len(points), 9, 45))
    # Mistakes are on top. The others are shuffled, so that no class covers another.
    order = np.lexsort((np.arange(len(points)) * 0.618034 % 1, mistakes))
    axes.scatter(
        points[order, 0],
        points[order, 1],
        s=size * np.where(mistakes, 1.5, 1.0)[order],
        c=colors[order].tolist(),
        edgecolors=np.where(mistakes[order], "#000000", "#00000040").tolist(),
        linewidths=(scale * np.where(mistakes, 1.0, 0.3)[order]).tolist(),
    )


def _draw_thumbnails(
    axes: Axes,
    points: np.ndarray,
    colors: np.ndarray,
    mistakes: np.ndarray,
    thumbnails: Thumbnails,
    inch: float,
) -> None:
    rows, (height, width) = thumbnails.rows, thumbnails.images.shape[1:3]
    gaps = np.abs(points[rows][:, None] - points[rows][None]).max(axis=2)
    np.fill_diagonal(gaps, np.inf)
    side = float(np.clip(gaps.min() / inch, *SIDES)) * inch  # none covers another, if possible
    reach = side / 2 * np.array([width, height]) / max(width, height)
    for row, image in zip(rows, thumbnails.images, strict=True):
        (left, bottom), (right, top) = points[row] - reach, points[row] + reach
        picture = np.broadcast_to(image, (height, width, 3)).clip(0, 1)
        axes.imshow(picture, extent=(left, right, bottom, top), zorder=2, aspect="auto")
        for color, line in (("black", 3.6 if mistakes[row] else 0.0), (colors[row], 1.6)):
            corner, across, up = (left, bottom), right - left, top - bottom
            frame = Rectangle(corner, across, up, fill=False, color=color, lw=line, zorder=2)
            axes.add_patch(frame)
