"""Name boxes: names beside points or in a margin, without overlap."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from callbacks.plots.drawing.texts import inches_of

FONT = 7.5
PAD = 0.25  # inches: width of a box beyond its text, and height of a box
CROWDED = 0.04  # share of the area that names may cover
# Places that are tried for a name, in 16 directions; 1 puts the edge of its box at the point.
DIRECTIONS, DISTANCES = 16, (1.15, 1.6, 2.4, 3.6, 5.5)
FAR = 0.005  # share of the points that a name may cover rather than stand farther away by its size


def box_sizes(names: Sequence[str]) -> np.ndarray:
    """Width and height of the box of each name, in inches, (n, 2)."""
    return np.array([(inches_of(name, FONT) + PAD, PAD) for name in names]).reshape(-1, 2)


def is_crowded(names: Sequence[str], area: float) -> bool:
    """Whether names would cover too much of an area in square inches."""
    return float(box_sizes(names).prod(axis=1).sum()) > CROWDED * area


def draw_names(
    axes: Axes, places: np.ndarray, meant: np.ndarray, names: Sequence[str], colors: np.ndarray
) -> None:
    """Draw names in boxes, each with a line to the point that it names.

    Args:
        axes: Axes to draw in.
        places: Centres of the boxes, (n, 2).
        meant: The points that they name, (n, 2).
        names: The names.
        colors: RGB colours of boxes and lines, (n, 3).
    """
    for place, middle, name, color in zip(places, meant, names, colors, strict=True):
        axes.plot(*np.stack([middle, place]).T, color="black", lw=1.4, alpha=0.4, zorder=3)
        axes.plot(*np.stack([middle, place]).T, color=color, lw=0.8, zorder=3)
        axes.text(
            place[0],
            place[1],
            name,
            fontsize=FONT,
            ha="center",
            va="center",
            zorder=4,
            bbox={"boxstyle": "round,pad=0.2", "fc": "#ffffffe0", "ec": color, "lw": 1.4},
        )


def beside(
    meant: np.ndarray,
    sizes: np.ndarray,
    points: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    far: float = FAR,
) -> np.ndarray:
    """Places for names near their points, where they cover each other and all points least.

    Args:
        meant: The points that they name, (n, 2).
        sizes: Width and height of each box, (n, 2).
        points: All points of the map, (N, 2).
        low: Left and lower end of the map, (2,).
        high: Right and upper end of the map, (2,).
        far: Share of the points that a name may cover rather than stand farther away by its size.

    Returns:
        The centres of the names, (n, 2).
    """
    angles = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False) + np.pi / 2  # first above
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = np.empty_like(meant)
    for row, (point, size) in enumerate(zip(meant, sizes, strict=True)):
        with np.errstate(divide="ignore"):
            clear = (size / 2 / np.abs(ways)).min(axis=1, keepdims=True)  # the edge is at the point
        steps = np.concatenate([distance * clear * ways for distance in DISTANCES])
        tried = point + steps
        covered = (np.abs(tried[:, None] - points) < size / 2).all(axis=2).sum(axis=1)
        gaps = np.abs(tried[:, None] - places[:row]) - (size + sizes[:row]) / 2
        outside = ((tried - size / 2 < low) | (tried + size / 2 > high)).any(axis=1)
        bad = 100 * len(points) * ((gaps < 0).all(axis=2).sum(axis=1) + outside)
        away = far * max(100, len(points)) * np.linalg.norm(steps / size, axis=1)
        places[row] = tried[(bad + covered + away).argmin()]
    return places


def in_margins(meant: np.ndarray, left: float, right: float, low: float, high: float) -> np.ndarray:
    """Places for names in two columns, such that the lines to their points hardly cross.

    Args:
        meant: The points that they name, (n, 2).
        left: x of the left column.
        right: x of the right column.
        low: Lower end of both columns.
        high: Upper end of both columns.

    Returns:
        The centres of the names, (n, 2).
    """
    places = np.empty_like(meant)
    sides = np.array_split(meant[:, 0].argsort(kind="stable"), 2)
    for side, across in zip(sides, (left, right), strict=True):
        upward = side[meant[side, 1].argsort(kind="stable")]
        places[upward, 0] = across
        places[upward, 1] = low + (high - low) * (np.arange(len(side)) + 0.5) / max(len(side), 1)
    return places
