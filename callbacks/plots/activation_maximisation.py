"""Images that excite a network's filters or classes most."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.style import NEUTRAL

SMALLEST = 64  # pixels of a tile that is crossed out, so that its lines are fine
GROUND, CROSS, FAINT = 0.85, 0.55, "dimgrey"  # of what is dead


def plot_maximised(
    images: np.ndarray, captions: Sequence[str], dead: np.ndarray, title: str
) -> Figure:
    """Tile images, about as many down as across; those that excite nothing are crossed out.

    Args:
        images: In [0, 1], (N, H, W, C).
        captions: Name of what each image excites.
        dead: Whether nothing does, (N,).
        title: What is shown, in a few short lines.
    """
    factor = max(1, SMALLEST // max(images.shape[1:3]))
    tiles = images.repeat(factor, axis=1).repeat(factor, axis=2)
    tiles[dead] = _cross(*tiles.shape[1:3])
    return plot_contact_sheet(
        tiles,
        [
            f"{caption} (dead)" if is_dead else caption
            for caption, is_dead in _pairs(captions, dead)
        ],
        int(np.ceil(np.sqrt(len(tiles)))),
        title,
        [FAINT if is_dead else NEUTRAL for is_dead in dead],
    )


def _pairs(captions: Sequence[str], dead: np.ndarray) -> list[tuple[str, bool]]:
    return list(zip(captions, dead.tolist(), strict=True))


def _cross(height: int, width: int) -> np.ndarray:
    """A light tile with its two diagonals, (height, width, 1)."""
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    near = np.abs(np.abs(down) - np.abs(across)) < 0.05
    return np.where(near, CROSS, GROUND)[..., None]
