"""Which settings a search has tried, and how good they were."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.sheet import DPI, RIGHT, WRONG
from callbacks.plots.texts import shorten

PANEL_INCHES, MAX_COLUMNS = 3.1, 4
WIDE = 30  # largest to smallest value from which an axis is logarithmic
NAME_LENGTH = 16


def plot_search(
    values: np.ndarray,
    settings: Mapping[str, Sequence[Any]],
    importances: Mapping[str, float],
    stopped: np.ndarray,
    metric: str,
    title: str,
) -> Figure:
    """A panel a setting: its value in each trial, and how good the trial was.

    Args:
        values: Metric of each trial, (N,), the best first.
        settings: Of each trial, by name; numbers or texts.
        importances: Share of the variation that comes from each setting, as far as it is known.
        stopped: Trials that were not worth going on with, (N,) bool.
        metric: Name of the metric.
        title: What was searched.
    """
    columns = min(len(settings), MAX_COLUMNS)
    rows = -(-len(settings) // columns)
    size = (max(PANEL_INCHES * columns, 6.4), 3 * rows + 0.9)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    names = sorted(settings, key=lambda name: -importances.get(name, 0))
    for axes, name in zip(panels, names, strict=False):
        places = _places(axes, settings[name])
        for own, face, label in ((~stopped, RIGHT, "whole"), (stopped, "white", "stopped early")):
            axes.scatter(
                places[own], values[own], s=26, color=face, edgecolors=RIGHT, label=label, zorder=2
            )
        axes.scatter(
            places[:1], values[:1], s=150, marker="*", color=WRONG, label="the best", zorder=3
        )
        share = f"\n{importances[name]:.0%} of the variation" if name in importances else ""
        axes.set_title(f"{name}{share}", fontsize=9)
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel(metric)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    return figure


def _places(axes: Axes, values: Sequence[Any]) -> np.ndarray:
    """Where the values lie on the axis, which is made for them."""
    if all(isinstance(value, int | float) for value in values):
        numbers = np.array(values, float)
        if numbers.min() > 0 and numbers.max() > WIDE * numbers.min():
            axes.set_xscale("log")
        return numbers
    choices = sorted(set(map(str, values)))
    axes.set_xticks(range(len(choices)), [shorten(c, NAME_LENGTH) for c in choices], fontsize=8)
    axes.set_xlim(-0.5, len(choices) - 0.5)
    return np.array([choices.index(str(value)) for value in values], float)
