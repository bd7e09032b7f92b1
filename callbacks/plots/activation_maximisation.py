"""Activation maximisation: contact sheets of images that maximise filters or classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.style import NEUTRAL

SMALLEST = 64  # pixels of a tile, so that the lines of a cross are thin
GROUND, CROSS, FAINT = 0.85, 0.55, "dimgrey"  # of a tile without an image


def plot_maximised(
    images: np.ndarray, captions: Sequence[str], dead: np.ndarray, title: str
) -> Figure:
    """Draw images in a square contact sheet; filters that stayed at zero are crossed out.

    Args:
        images: In [0, 1], (N, H, W, C).
        captions: Name of the filter or class of each image.
        dead: Whether the output stayed at zero in each step, (N,).
        title: Title of the figure.
    """
    factor = max(1, SMALLEST // max(images.shape[1:3]))
    tiles = images.repeat(factor, axis=1).repeat(factor, axis=2)
    tiles[dead] = _cross(*tiles.shape[1:3])
    return plot_contact_sheet(
        tiles,
        [
            f"{caption} (at zero)" if is_dead else caption
            for caption, is_dead in _pairs(captions, dead)
        ],
        int(np.ceil(np.sqrt(len(tiles)))),
        title,
        [FAINT if is_dead else NEUTRAL for is_dead in dead],
    )


def _pairs(captions: Sequence[str], dead: np.ndarray) -> list[tuple[str, bool]]:
    return list(zip(captions, dead.tolist(), strict=True))


def _cross(height: int, width: int) -> np.ndarray:
    """A light tile with a cross, (height, width, 1)."""
    down, across = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    near = np.abs(np.abs(down) - np.abs(across)) < 0.05
    return np.where(near, CROSS, GROUND)[..., None]
