"""The loss over the learning rate."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import BAD, DPI, GOOD


def plot_learning_rates(rates: np.ndarray, losses: np.ndarray, suggestion: float | None) -> Figure:
    """Draw the curve of a range test.

    Args:
        rates: Learning rates that were tried, rising, (n,).
        losses: Loss at each of them, (n,).
        suggestion: The rate to mark; None for none.
    """
    figure = Figure(figsize=(6.4, 3.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot(rates, losses, color=GOOD, lw=1.6)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate of the head")
    axes.set_ylabel("training loss, smoothed")
    axes.grid(alpha=0.25)
    title = "learning rate: the loss falls nowhere"
    if suggestion is not None:
        axes.axvline(suggestion, color=BAD, lw=0.8, ls=":")
        axes.plot(suggestion, losses[np.abs(rates - suggestion).argmin()], "o", color=BAD)
        title = f"learning rate: the loss falls fastest at {suggestion:.1e}"
    axes.set_title(title, fontsize=11)
    return figure
