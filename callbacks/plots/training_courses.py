"""Training courses: accuracy and losses of the variations of an ablation over the epochs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from callbacks.plots.drawing.style import DPI, OKABE_ITO
from callbacks.plots.drawing.texts import shorten
from callbacks.plots.drawing.timeline import Curve, finish, marker
from callbacks.plots.drawing.titles_and_legends import add_legend, add_title

NAME_LENGTH = 30
STYLES = ("-", "--", "-.", ":")  # one for each round through the colours
MANY_TIMES = 10  # a loss whose values differ by more has a logarithmic axis

Runs = Mapping[str, Sequence[Curve]]  # the curves of a variation, one for each seed


def plot_training_courses(
    accuracies: Runs, train_losses: Runs, val_losses: Runs, goal: float, title: str
) -> Figure:
    """Draw one line for each run; the base is black, and the seeds of a variation look the same.

    Args:
        accuracies: Accuracy on the validation images of each variation and seed, the base first.
        train_losses: Loss of the training images.
        val_losses: Loss of the validation images.
        goal: Validation accuracy that is drawn as a line; a dot marks where a run first has it.
            NaN for none.
        title: Title of the figure.
    """
    figure = Figure(figsize=(11.6, 4.2), dpi=DPI, layout="constrained")
    accuracy, *losses = figure.subplots(1, 3)
    looks = [_look(index) for index in range(len(accuracies))]
    for axes, runs, name in zip(
        (accuracy, *losses),
        (accuracies, train_losses, val_losses),
        ("validation accuracy", "training loss", "validation loss"),
        strict=True,
    ):
        _draw(axes, runs, looks)
        axes.set_title(name.capitalize(), fontsize=10)
        finish(axes, "share of the images" if axes is accuracy else "mean over the images")
    for axes, runs in zip(losses, (train_losses, val_losses), strict=True):
        _scale(axes, [value for curves in runs.values() for curve in curves for _, value in curve])
    signs: list[Artist] = [
        Line2D([], [], label=shorten(name, NAME_LENGTH), **look)
        for name, look in zip(accuracies, looks, strict=True)
    ]
    if not math.isnan(goal):
        signs.append(_mark_goal(accuracy, accuracies, looks, goal))
    add_legend(figure, signs, 4)
    add_title(figure, title)
    return figure


def _look(index: int) -> dict[str, Any]:
    """Colour and style of the lines of a variation; the base is number 0."""
    if index == 0:
        return {"color": "black", "ls": "-"}
    rounds, place = divmod(index - 1, len(OKABE_ITO))
    return {"color": OKABE_ITO[place], "ls": STYLES[rounds % len(STYLES)]}


def _draw(axes: Axes, runs: Runs, looks: Sequence[Mapping[str, Any]]) -> None:
    for curves, look in zip(runs.values(), looks, strict=True):
        for curve in filter(None, curves):
            epochs, values = zip(*curve, strict=True)
            axes.plot(epochs, values, lw=1.3, marker=marker(curve), ms=2, alpha=0.85, **look)


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """Use a logarithmic axis if a jump would otherwise hide everything else."""
    if values and 0 < MANY_TIMES * min(values) < max(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")


def _mark_goal(axes: Axes, runs: Runs, looks: Sequence[Mapping[str, Any]], goal: float) -> Artist:
    for curves, look in zip(runs.values(), looks, strict=True):
        for curve in curves:
            if reached := next((point for point in curve if point[1] >= goal), None):
                axes.plot(*reached, "o", ms=6, color=look["color"], zorder=3)
    line = axes.axhline(goal, color="black", lw=0.8, ls=":")
    line.set_label(f"goal: {goal:.3f}")
    return line
