"""Learning rates over the epochs, and what began to train when."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from callbacks.plots.drawing.texts import shorten

Curve = Sequence[tuple[int, float]]  # (epoch, value)
FREED = "#707070"
MAX_MARKED = 40  # epochs whose points can be told apart
MAX_LABELS = 30  # that stand side by side above a time axis
MAX_LEGEND = 10


def draw_rates(axes: Axes, rates: Mapping[str, Curve]) -> None:
    """Draw one line for each stage, dark at the input and light at the output.

    Args:
        axes: Where to draw.
        rates: Learning rate of each stage, from input to output; stages with equal rates share a
            line, and a rate of 0 is none.
    """
    curves = _merged(rates)
    shades = matplotlib.colormaps["viridis"](np.linspace(0.1, 0.85, len(curves)))
    step = -(-len(curves) // MAX_LEGEND)
    for index, ((label, points), color) in enumerate(zip(curves.items(), shades, strict=True)):
        epochs, values = np.array(points, float).T
        axes.plot(
            epochs,
            np.where(values > 0, values, np.nan),  # a logarithm has no place for 0
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
    """One curve for all stages with the same rates, under the names of the first and the last.

    Those that never train have none.
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
    """Say above the axis what begins to train, where there is room for it.

    Args:
        axes: Whose time axis it is.
        freed: Epochs, and what trains from there on.
        num_epochs: Length of the axis.
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
    above.set_xlabel("what trains from there on, and how many parameters", fontsize=9)


def mark_freed(axes: Axes, freed: Sequence[tuple[int, str]]) -> None:
    """Draw a line before the first epoch that trains something else."""
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
    """Name the axes, and give epochs whole numbers."""
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)


def marker(points: Curve) -> str:
    """Dots where they can be told apart; a run of one epoch has nothing else to show."""
    return "o" if len(points) <= MAX_MARKED else ""
