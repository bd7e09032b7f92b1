"""Timelines: learning rates over the epochs, and the epochs of unfreezing."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from callbacks.plots.drawing.texts import shorten

Curve = Sequence[tuple[int, float]]  # (epoch, value)
FREED = "#707070"
MAX_MARKED = 40  # epochs whose points can be distinguished
MAX_LABELS = 30  # side by side above a time axis
MAX_LEGEND = 10


def draw_rates(axes: Axes, rates: Mapping[str, Curve]) -> None:
    """Draw one line for each stage, dark at the input and light at the output.

    Args:
        axes: Axes to draw in.
        rates: Learning rate of each stage, from input to output, 0 while it is frozen. Stages
            with equal rates share a line.
    """
    curves = _merged(rates)
    shades = matplotlib.colormaps["viridis"](np.linspace(0.1, 0.85, len(curves)))
    step = -(-len(curves) // MAX_LEGEND)
    for index, ((label, points), color) in enumerate(zip(curves.items(), shades, strict=True)):
        epochs, values = np.array(points, float).T
        axes.plot(
            epochs,
            np.where(values > 0, values, np.nan),  # a logarithmic axis has no 0
            color=color,
            label=label if index % step == 0 or index == len(curves) - 1 else None,
            drawstyle="steps-mid",
            lw=1.6,
            marker=marker(points),
            ms=3,
        )
    axes.set_yscale("log")
    finish(axes, "learning rate")
    if curves:
        axes.legend(frameon=False, fontsize=8, ncols=2 if len(curves) > MAX_LEGEND / 2 else 1)


def _merged(rates: Mapping[str, Curve]) -> dict[str, Curve]:
    """One curve for all stages with the same rates, named after the first and the last of them.

    Stages that never train are omitted.
    """
    stages: dict[tuple[tuple[int, float], ...], list[str]] = {}
    for stage, points in rates.items():
        if any(rate > 0 for _, rate in points):
            stages.setdefault(tuple(points), []).append(stage)
    if any(len(names) == len(rates) > 1 for names in stages.values()):
        return {"all stages": next(iter(stages))}
    return {
        names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}": points
        for points, names in stages.items()
    }


def label_freed(axes: Axes, freed: Sequence[tuple[int, str]], num_epochs: int) -> None:
    """Write above the axis what starts to train at which epoch, as far as there is room.

    Args:
        axes: Axes with the epochs as x.
        freed: Epochs, and labels of what trains from then on.
        num_epochs: Length of the x-axis.
    """
    shown: list[tuple[int, str]] = []
    for epoch, text in freed:
        if not shown or epoch - shown[-1][0] >= num_epochs / MAX_LABELS:
            shown.append((epoch, text))
    above = axes.secondary_xaxis("top")
    above.set_xticks(
        [epoch - 0.5 for epoch, _ in shown],
        [shorten(text, 32) for _, text in shown],
        rotation=30,
        ha="left",
        fontsize=7.5,
    )
    above.set_xlabel("what trains from this epoch on: number of parameters", fontsize=9)


def mark_freed(axes: Axes, freed: Sequence[tuple[int, str]]) -> None:
    """Draw a line before each epoch at which other parameters start to train."""
    axes.vlines(
        [epoch - 0.5 for epoch, _ in freed],
        *(0, 1),
        transform=axes.get_xaxis_transform(),
        color=FREED,
        lw=0.8,
        ls="--",
        zorder=1,
    )


def finish(axes: Axes, unit: str) -> None:
    """Label the axes, and put integer ticks at the epochs."""
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)


def marker(points: Curve) -> str:
    """Marker of a curve: dots while they can be distinguished, as for a run of one epoch."""
    return "o" if len(points) <= MAX_MARKED else ""
