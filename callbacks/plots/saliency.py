"""Which pixels matter: one row an image, one column a method."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.sheet import DPI, GAP, add_colorbar, shorten

CMAP = "inferno"
PERCENTILE = 99.0  # of a map, which is drawn as the strongest: single pixels would hide the rest
INCHES, NAME, TOP = 1.25, 1.5, 0.85  # of a tile, of the captions, and of the titles
NAME_LENGTH = 22  # characters that fit there


def plot_saliency(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    captions: Sequence[str],
    colors: Sequence[str],
    title: str,
) -> Figure:
    """The images, and beside each its maps, each on a scale of its own.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Magnitudes (N, H, W), not negative, by method.
        captions: A line or two for each image.
        colors: Of each caption.
        title: What is explained.
    """
    number, height, width = images.shape[:3]
    columns = ["image", *maps]
    tiles = np.stack(
        [np.broadcast_to(images, (*images.shape[:3], 3)), *(_painted(m) for m in maps.values())],
        axis=1,
    )
    ratio = height / width
    size = (
        len(columns) * INCHES * (1 + GAP) + NAME + 0.7,
        number * INCHES * ratio * (1 + GAP) + TOP,
    )
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_title(title, fontsize=10, pad=18)
    for row, pictures in enumerate(tiles):
        top = row * ratio * (1 + GAP)
        for column, picture in enumerate(pictures):
            left = column * (1 + GAP)
            extent = (left, left + 1, top + ratio, top)
            axes.imshow(picture, extent=extent, interpolation="nearest")
        lines = [shorten(line, NAME_LENGTH) for line in captions[row].split("\n")]
        axes.text(
            -0.06, top + ratio / 2, "\n".join(lines), ha="right", va="center", fontsize=8,
            color=colors[row],
        )  # fmt: skip
    for column, name in enumerate(columns):
        axes.text(
            column * (1 + GAP) + 0.5, -0.03, _label(name), ha="center", va="bottom", fontsize=8
        )
    axes.set_xlim(-NAME / INCHES, len(columns) * (1 + GAP) - GAP)
    axes.set_ylim(number * ratio * (1 + GAP) - GAP * ratio, 0)
    axes.set_aspect("equal")
    add_colorbar(axes, CMAP, 0, 1, f"magnitude (1 = {PERCENTILE:g}th percentile of the map)")
    return figure


def _painted(maps: np.ndarray) -> np.ndarray:
    """RGB of each map; one that is 0 everywhere is dark everywhere."""
    limits = np.percentile(maps, PERCENTILE, axis=(1, 2), keepdims=True)
    limits = np.where(limits > 0, limits, maps.max(axis=(1, 2), keepdims=True))
    scaled = np.divide(maps, limits, out=np.zeros_like(maps), where=limits > 0)
    return matplotlib.colormaps[CMAP](scaled.clip(0, 1))[..., :3]


def _label(method: str) -> str:
    return method.replace("gradient_times_input", "gradient\nx input").replace("_", "\n")
