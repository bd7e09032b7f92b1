"""Map of the training images: easy, ambiguous and hard to learn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from callbacks.plots.drawing.style import DPI, NEUTRAL
from callbacks.plots.drawing.texts import shorten

WIDTH, HEIGHT = 9.6, 6.6  # inches
MAX_LETTERS = 16  # of a caption


def plot_training_dynamics(
    mean: np.ndarray,
    spread: np.ndarray,
    margin: np.ndarray,
    corners: Mapping[str, tuple[np.ndarray, Sequence[str]]],
    title: str,
) -> Figure:
    """Draw the map, with images from its corners on the right.

    Args:
        mean: Mean probability of the label of each image, in [0, 1], (N,).
        spread: Its standard deviation over the epochs, (N,).
        margin: Area under the margin, (N,), which colours the points.
        corners: Name of each corner, from top to bottom; its images, in [0, 1], (n, H, W, C), and
            their captions.
        title: Title of the figure.
    """
    figure = Figure(
        figsize=(WIDTH, HEIGHT), dpi=DPI, layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08)
    )
    figure.suptitle(title, fontsize=11)
    parts: Any = figure.subfigures(1, 2, width_ratios=[1.15, 1])
    left, right = parts
    axes = left.subplots()
    limit = max(float(np.abs(np.percentile(margin, [2, 98])).max()), 1e-6)
    points = axes.scatter(
        spread, mean, c=margin, s=9, cmap="coolwarm_r", vmin=-limit, vmax=limit, linewidths=0
    )
    axes.set_xlabel("spread of the probability of the label over the epochs")
    axes.set_ylabel("mean probability of the label")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(0, max(float(spread.max()) * 1.05, 0.01))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    left.colorbar(points, ax=axes, location="bottom", shrink=0.8, label="area under the margin")
    rows = right.subfigures(len(corners), 1)
    for place, (name, (images, captions)) in zip(np.atleast_1d(rows), corners.items(), strict=True):
        place.suptitle(name, fontsize=9.5)
        for axes, image, caption in zip(
            np.atleast_1d(place.subplots(1, len(images))), images, captions, strict=True
        ):
            axes.imshow(np.broadcast_to(image, (*image.shape[:2], 3)).clip(0, 1))
            axes.set_axis_off()
            lines = [shorten(line, MAX_LETTERS) for line in caption.split("\n")]
            axes.text(
                0.5,
                -0.05,
                "\n".join(lines),
                transform=axes.transAxes,
                fontsize=7,
                color=NEUTRAL,
                ha="center",
                va="top",
            )
    return figure
