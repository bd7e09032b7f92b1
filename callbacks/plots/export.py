"""Export: size, speed and accuracy of a network in several formats."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import DPI, OKABE_ITO
from callbacks.plots.drawing.titles_and_legends import add_title
from models.evaluation.wilson import wilson

ROW_INCHES = 0.42


def plot_export(columns: Mapping[str, Sequence[Any]], num_images: int, title: str) -> Figure:
    """Draw a row for each format, and a panel for each number.

    Args:
        columns: `format`, `megabytes`, `ms_1` and `ms_1_95` (latency of one image and the time that
            95 % of the calls keep), `images_per_second`, `accuracy` in [0, 1] or None.
        num_images: Number of images of the accuracy; 0 leaves its panel out.
        title: Title of the figure.
    """
    names = columns["format"]
    count = 4 if num_images else 3
    size = (2.0 + 2.6 * count, ROW_INCHES * len(names) + 1.6)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(1, count, sharey=True)
    _bars(panels[0], columns["megabytes"], "size, MB", 0)
    _bars(panels[1], columns["ms_1"], "one image, ms (line: 95 % of calls)", 1)
    reach = np.subtract(columns["ms_1_95"], columns["ms_1"])
    places = np.arange(len(names))
    panels[1].errorbar(
        columns["ms_1"], places, xerr=[0 * reach, reach], fmt="none", ecolor="black", capsize=3
    )
    _bars(panels[2], columns["images_per_second"], "images/s, 32 at a time", 2)
    if num_images:
        _accuracies(panels[3], columns["accuracy"], num_images)
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    add_title(figure, title)
    return figure


def _bars(axes: Axes, values: Sequence[float], label: str, colour: int) -> None:
    axes.barh(np.arange(len(values)), values, 0.6, color=OKABE_ITO[colour])
    for place, value in enumerate(values):
        axes.annotate(
            f"{value:.3g}" if value < 100 else f"{value:,.0f}",
            (0, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8},
        )
    _finish(axes, label)


def _accuracies(axes: Axes, accuracies: Sequence[float], num_images: int) -> None:
    middle = np.array(accuracies)
    ends = np.array([wilson(value, num_images) for value in accuracies]).T
    axes.errorbar(
        100 * middle,
        np.arange(len(middle)),
        xerr=100 * abs(ends - middle),
        fmt="o",
        color=OKABE_ITO[4],
        capsize=3,
    )
    _finish(axes, "accuracy, % (line: 95 % interval)")


def _finish(axes: Axes, label: str) -> None:
    axes.set_xlabel(label, fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
