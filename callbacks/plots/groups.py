"""Groups: accuracy and confidence of each group of a column, with intervals."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import BAD, DPI, OKABE_ITO
from callbacks.plots.drawing.texts import shorten
from callbacks.plots.drawing.titles_and_legends import add_title
from callbacks.plots.per_class import draw_support
from models.evaluation.groups import GroupScore, worse_groups

MOST_ROWS = 60  # of the figure; the groups with the lowest accuracies
ROW_INCHES, WIDTH, NAME_LENGTH = 0.26, 8.8, 40
ACCURACY, CONFIDENCE = OKABE_ITO[4], OKABE_ITO[1]


def plot_groups(scores: Sequence[GroupScore], overall: float, title: str) -> Figure:
    """Draw the accuracy of each group as a bar, and its mean confidence as a mark.

    Args:
        scores: Of the groups, those of a column one after another.
        overall: Accuracy of all images.
        title: Title of the figure; a sentence on each group that is worse follows it.
    """
    shown = _shown(scores)
    height = max(3.2, ROW_INCHES * len(shown) + 1.7)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    bars, images = figure.subplots(1, 2, width_ratios=[5, 1.2])
    _draw_bars(bars, shown, overall)
    draw_support(images, np.array([score.images for score in shown]))
    _name(bars, shown)
    handles, labels = bars.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    add_title(figure, "\n".join([title, *map(sentence, worse_groups(scores))]))
    return figure


def sentence(score: GroupScore) -> str:
    """What is worse for a group, in words."""
    low, high = (f"{100 * end:.0f}" for end in (score.low, score.high))
    text = (
        f"{name_of(score)}: {score.correct} of {score.images} correct, "
        f"{100 * score.accuracy:.0f} % ({low} to {high}), against {100 * score.rest:.0f} % "
        "of the rest"
    )
    explained = f"; with its classes, the rest would have {100 * score.expected:.0f} %"
    return text + explained * score.is_explained


def name_of(score: GroupScore) -> str:
    """Column and group."""
    return f"{score.column} = {score.group}"


def _shown(scores: Sequence[GroupScore]) -> list[GroupScore]:
    """The scores in their order, as many as there is room for."""
    lowest = sorted(scores, key=lambda score: score.accuracy)[:MOST_ROWS]
    return [score for score in scores if score in lowest]


def _draw_bars(axes: Axes, shown: Sequence[GroupScore], overall: float) -> None:
    places = np.arange(len(shown))
    accuracy = np.array([score.accuracy for score in shown])
    ends = np.array([(score.low, score.high) for score in shown]).T
    reach = np.stack([accuracy - ends[0], ends[1] - accuracy]).clip(min=0)
    axes.barh(places, accuracy, height=0.75, color=ACCURACY, label="accuracy")
    look = {"fmt": "none", "ecolor": "black", "elinewidth": 1, "capsize": 2}
    axes.errorbar(accuracy, places, xerr=reach, label="95 % interval", **look)
    confidence = [score.confidence for score in shown]
    mark = {"marker": "D", "s": 26, "color": CONFIDENCE, "edgecolors": "black", "linewidths": 0.5}
    axes.scatter(confidence, places, zorder=3, label="mean confidence", clip_on=False, **mark)
    axes.axvline(overall, color="black", lw=1, ls="--", label="accuracy of all")
    axes.set_xlim(0, 1)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("accuracy")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name(axes: Axes, shown: Sequence[GroupScore]) -> None:
    """Name the groups, worse ones in colour, with a line between columns."""
    names = [shorten(name_of(score), NAME_LENGTH) for score in shown]
    axes.set_yticks(range(len(shown)), names, fontsize=9)
    for label, score in zip(axes.get_yticklabels(), shown, strict=True):
        if score.is_worse:
            label.set_color(BAD)
    for place, (one, other) in enumerate(pairwise(shown)):
        if one.column != other.column:
            axes.axhline(place + 0.5, color="black", lw=0.6, alpha=0.4)
