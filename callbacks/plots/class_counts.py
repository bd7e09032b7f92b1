"""Class counts: images of each class in each split."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from callbacks.plots.drawing.style import DPI, SPLIT_COLORS
from callbacks.plots.drawing.texts import shorten

ROW_INCHES = 0.24
MAX_LABELLED = 40  # classes whose number of images is written beside their bar
MAX_NAMED = 120  # of more classes the names would be too small to read
UNNAMED_INCHES = 4.5  # height of the bars of more classes

Counts = Mapping[str, np.ndarray]  # images of each class, (K,), by split


def plot_class_counts(counts: Counts, class_names: Sequence[str]) -> Figure:
    """Draw one stacked bar per class, and its images in all splits as a number.

    Args:
        counts: Images of each class, (K,), by split.
        class_names: Names of the K classes.
    """
    figure = Figure(figsize=(6.4, _height(class_names)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    _draw_bars(axes, counts, class_names)
    figure.suptitle(f"Images of each class, {len(class_names):,} classes", fontsize=11)
    return figure


def plot_class_counts_twice(before: Counts, after: Counts, class_names: Sequence[str]) -> Figure:
    """Draw one stacked bar per class before balancing and one after it, on the same scale.

    Args:
        before: Images of each class, (K,), by split.
        after: The same once the classes are balanced.
        class_names: Names of the K classes.
    """
    figure = Figure(figsize=(10.2, _height(class_names) + 0.2), dpi=DPI, layout="constrained")
    left, right = figure.subplots(ncols=2, sharex=True, sharey=True)
    for axes, counts, when in ((left, before, "before"), (right, after, "after")):
        _draw_bars(axes, counts, class_names)
        axes.get_legend().set_title(when)
    figure.suptitle(
        f"Images of each class before and after balancing, {len(class_names):,} classes",
        fontsize=11,
    )
    return figure


def _height(class_names: Sequence[str]) -> float:
    """Height of a figure in inches."""
    num_classes = len(class_names)
    if num_classes > MAX_NAMED:
        return UNNAMED_INCHES
    row = ROW_INCHES if num_classes <= MAX_LABELLED else 0.13
    return max(3.4, row * num_classes + 1.3)


def _draw_bars(axes: Axes, counts: Counts, class_names: Sequence[str]) -> None:
    num_classes = len(class_names)
    order = _order(counts, num_classes)
    left = np.zeros(num_classes)
    for split, color in SPLIT_COLORS.items():
        if split not in counts:
            continue
        values, label = counts[split][order], f"{split}: {counts[split].sum():,}"
        if num_classes <= MAX_NAMED:
            axes.barh(np.arange(num_classes), values, left=left, color=color, label=label)
        else:  # thousands of bars would take minutes, and be thinner than a pixel
            edges = np.arange(num_classes + 1) - 0.5
            look = {"color": color, "label": label, "fill": True, "lw": 0}
            axes.stairs(left + values, edges, baseline=left, orientation="horizontal", **look)
        left = left + values
    if num_classes <= MAX_LABELLED:
        for place, number in enumerate(left.astype(int)):
            axes.text(number, place, f" {number:,}", va="center", fontsize=7)
        axes.margins(x=0.1)
    names = [shorten(name, 28) for name in class_names]
    if num_classes <= MAX_NAMED:
        font = 9 if num_classes <= MAX_LABELLED else 6
        axes.set_yticks(np.arange(num_classes), names, fontsize=font)
    else:
        axes.set_ylabel("classes, the one with the most images first")
    axes.set_ylim(num_classes - 0.4, -0.6)
    axes.set_xlabel("images")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=9)


def _order(counts: Counts, num_classes: int) -> np.ndarray:
    """The order of the classes: their own, or without room for their names that of their images."""
    if num_classes <= MAX_NAMED:
        return np.arange(num_classes)
    return np.argsort(-np.sum(list(counts.values()), axis=0), kind="stable")
