"""Name boxes: names beside points or in a margin, without overlap."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from callbacks.plots.drawing.texts import inches_of

FONT = 7.5
PAD = 0.25  # inches: width of a box beyond its text, and height of a box
CROWDED = 0.04  # share of the area that names may cover


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


def apart(centers: np.ndarray, sizes: np.ndarray, num_rounds: int = 300) -> np.ndarray:
    """Push boxes apart until none overlaps another.

    Args:
        centers: Preferred centres, (n, 2).
        sizes: Width and height of each box, (n, 2).
        num_rounds: Most iterations.

    Returns:
        The centres, (n, 2).
    """
    places = centers + 1e-6 * sizes * np.arange(len(centers))[:, None]  # no two are equal
    for _ in range(num_rounds):
        away = places[:, None] - places[None]
        overlap = (sizes[:, None] + sizes[None]) / 2 - np.abs(away)
        touching = (overlap > 0).all(axis=2) & ~np.eye(len(places), dtype=bool)
        if not touching.any():
            break
        axis = overlap.argmin(axis=2)[..., None] == np.arange(2)  # the shorter way
        push = np.where(axis & touching[..., None], np.sign(away) * overlap, 0)
        places = places + 0.25 * push.sum(axis=1)
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
