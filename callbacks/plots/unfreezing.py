"""Unfreezing: learning rate of each stage over the epochs."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from callbacks.plots.drawing.style import DPI

FROZEN = "#e3e3e0"
MAX_LABELS = 30  # of more stages, not all are named


def plot_unfreezing(
    stages: Sequence[str], shares: Sequence[Sequence[float]], rates: Sequence[Sequence[float]]
) -> Figure:
    """Draw stages over epochs: grey if frozen, else coloured by the learning rate.

    Args:
        stages: Names of the stages, from input to output, the head last.
        shares: Share of the parameters of each stage that train in each epoch, in [0, 1]; the
            trainable part of a stage is coloured from its output side.
        rates: Learning rate of each stage in each epoch; NaN if unknown.
    """
    free, speed = np.asarray(shares, float), np.asarray(rates, float)
    num_stages, num_epochs = free.shape
    size = (min(1.6 + 0.42 * num_epochs, 14) + 1.6, min(1.1 + 0.3 * num_stages, 10))
    figure = Figure(figsize=(max(size[0], 5), max(size[1], 2.6)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor(FROZEN)
    shown = speed[(free > 0) & (speed > 0)]
    low, high = (shown.min(), shown.max()) if shown.size else (1e-3, 1e-3)
    norm = LogNorm(low / 1.5 if low == high else low, high * 1.5 if low == high else high)
    cmap = mpl.colormaps["viridis"]
    for stage, epoch in zip(*np.nonzero((free > 0) & (speed > 0)), strict=True):
        top = stage + 0.5
        height = float(free[stage, epoch])
        color = cmap(norm(speed[stage, epoch]))
        axes.add_patch(Rectangle((epoch - 0.5, top - height), 1, height, color=color, lw=0))
    for edge in range(1, num_stages):
        axes.axhline(edge - 0.5, color="white", lw=1)
    for edge in range(1, num_epochs):
        axes.axvline(edge - 0.5, color="white", lw=0.4)
    step = -(-num_stages // MAX_LABELS)
    axes.set_yticks(range(num_stages)[::step], stages[::step], fontsize=8)
    axes.set_xlim(-0.5, num_epochs - 0.5)
    axes.set_ylim(-0.5, num_stages - 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel("input to output")
    axes.set_title("Learning rate of each stage (grey: frozen)", fontsize=10)
    bar = figure.colorbar(ScalarMappable(norm, cmap), ax=axes, pad=0.02, aspect=30)
    bar.set_label("learning rate", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure
