"""Learning rate range test: loss against learning rate."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import BAD, DPI, GOOD


def plot_learning_rates(rates: np.ndarray, losses: np.ndarray, suggestion: float | None) -> Figure:
    """Draw the curve of a range test.

    Args:
        rates: Learning rates in increasing order, (n,).
        losses: Loss at each learning rate, (n,).
        suggestion: Learning rate to mark; None if there is no suggestion.
    """
    figure = Figure(figsize=(6.4, 3.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot(rates, losses, color=GOOD, lw=1.6)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate of the head")
    axes.set_ylabel("training loss, smoothed")
    axes.grid(alpha=0.25)
    title = "Learning rate range test: the loss does not fall"
    if suggestion is not None:
        axes.axvline(suggestion, color=BAD, lw=0.8, ls=":")
        axes.plot(suggestion, losses[np.abs(rates - suggestion).argmin()], "o", color=BAD)
        title = f"Learning rate range test: steepest descent at {suggestion:.1e}"
    axes.set_title(title, fontsize=11)
    return figure
