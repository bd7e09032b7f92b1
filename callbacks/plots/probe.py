"""Probe: accuracy that the features of each network allow."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import DPI, OKABE_ITO
from callbacks.plots.drawing.texts import shorten
from callbacks.plots.drawing.titles_and_legends import add_legend, add_title

NAME_LENGTH = 30
ROW_INCHES = 0.55
MARKERS = "os"


def plot_probes(
    names: Sequence[str],
    scores: Mapping[str, Sequence[tuple[float, float, float]]],
    parameters: Sequence[int],
    title: str,
) -> Figure:
    """Draw the accuracies of each network with their intervals.

    Args:
        names: Names of the networks, from top to bottom.
        scores: By the name of the classifier, the accuracy of each network and the ends of its
            interval, in [0, 1].
        parameters: Number of parameters of each network, shown beside its name.
        title: Title of the figure.
    """
    figure = Figure(figsize=(8.6, ROW_INCHES * len(names) + 1.5), dpi=DPI, layout="constrained")
    axes, places, signs = figure.subplots(), np.arange(len(names)), []
    spread = np.linspace(-0.12, 0.12, len(scores))
    for index, (label, values) in enumerate(scores.items()):
        middle, low, high = 100 * np.array(values).T
        signs.append(
            axes.errorbar(
                middle,
                places + spread[index],
                xerr=[middle - low, high - middle],
                fmt=MARKERS[index % len(MARKERS)],
                color=OKABE_ITO[index % len(OKABE_ITO)],
                capsize=3,
                label=label,
            )
        )
    labels = [
        f"{shorten(name, NAME_LENGTH)}\n{count / 1e6:.1f} million"
        for name, count in zip(names, parameters, strict=True)
    ]
    axes.set_yticks(places, labels)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("accuracy on images that were left out, % (line: 95 % interval)")
    axes.set_ylabel("network (parameters)")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    add_legend(figure, signs, 2)
    add_title(figure, title)
    return figure
