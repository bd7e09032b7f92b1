"""Names in boxes, where they belong or in a margin, none on another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from callbacks.plots.drawing.texts import inches_of

FONT = 7.5
PAD = 0.25  # inches that a name needs beside its letters; and the height of its box
CROWDED = 0.04  # share of the page that names in it may cover


def box_sizes(names: Sequence[str]) -> np.ndarray:
    """Width and height of each name in its box, (n, 2), in inches."""
    return np.array([(inches_of(name, FONT) + PAD, PAD) for name in names]).reshape(-1, 2)


def is_crowded(names: Sequence[str], area: float) -> bool:
    """Whether names would cover too much of so many square inches."""
    return float(box_sizes(names).prod(axis=1).sum()) > CROWDED * area


def draw_names(
    axes: Axes, places: np.ndarray, meant: np.ndarray, names: Sequence[str], colors: np.ndarray
) -> None:
    """Write names in boxes, each tied to the place that it means.

    Args:
        axes: Where to draw.
        places: Centers of the boxes, (n, 2).
        meant: What they name, (n, 2).
        names: Their texts.
        colors: Of the boxes and lines, (n, 3).
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
    """Push boxes apart until none lies on another.

    Args:
        centers: Where they want to be, (n, 2).
        sizes: Width and height of each, (n, 2).
        num_rounds: When to give up.

    Returns:
        Their centers, (n, 2).
    """
    places = centers + 1e-6 * sizes * np.arange(len(centers))[:, None]  # none exactly on another
    for _ in range(num_rounds):
        away = places[:, None] - places[None]
        overlap = (sizes[:, None] + sizes[None]) / 2 - np.abs(away)
        touching = (overlap > 0).all(axis=2) & ~np.eye(len(places), dtype=bool)
        if not touching.any():
            break
        axis = overlap.argmin(axis=2)[..., None] == np.arange(2)  # the shorter way out
        push = np.where(axis & touching[..., None], np.sign(away) * overlap, 0)
        places = places + 0.25 * push.sum(axis=1)
    return places


def in_margins(meant: np.ndarray, left: float, right: float, low: float, high: float) -> np.ndarray:
    """Places for names in two columns, so that the lines to what they mean hardly cross.

    Args:
        meant: What they name, (n, 2).
        left: Middle of the left column.
        right: Middle of the right column.
        low: Lower end of both.
        high: Upper end of both.

    Returns:
        Their centers, (n, 2).
    """
    places = np.empty_like(meant)
    sides = np.array_split(meant[:, 0].argsort(kind="stable"), 2)
    for side, across in zip(sides, (left, right), strict=True):
        upward = side[meant[side, 1].argsort(kind="stable")]
        places[upward, 0] = across
        places[upward, 1] = low + (high - low) * (np.arange(len(side)) + 0.5) / max(len(side), 1)
    return places
