"""What the parts of a recipe are worth."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.palette import OKABE_ITO, class_colors
from callbacks.plots.sheet import DPI, RIGHT, WRONG
from callbacks.plots.texts import shorten

NAME_LENGTH = 30
ROW_INCHES = 0.42
MAX_CLASSES = 40  # of more, those whose accuracy changes most
FEWEST = 5  # percent of a bar that there is room for a number in
MARKERS = "osD^vP*X<>"
NEUTRAL = "#555555"


def plot_ablation(
    names: Sequence[str],
    scores: Sequence[Sequence[float]],
    base_means: Sequence[float],
    differences: np.ndarray,
    title: str,
) -> Figure:
    """Accuracy of each variation and seed, and beside it the difference from the base.

    Args:
        names: Of the variations, the base first.
        scores: Accuracies in [0, 1] of each variation's seeds.
        base_means: Mean accuracy of the base on the images of each row.
        differences: From the base, in [-1, 1], with the ends of their intervals, (V, 3); NaN for
            the base.
        title: What was compared.
    """
    height = ROW_INCHES * len(names) + 1.5
    figure = Figure(figsize=(9.6, max(height, 2.6)), dpi=DPI, layout="constrained")
    accuracy, difference = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(names))
    for place, values in enumerate(scores):
        percent = 100 * np.asarray(values)
        accuracy.scatter(
            percent, np.full(len(percent), place), s=22, color=NEUTRAL, alpha=0.6, lw=0
        )
        accuracy.scatter([percent.mean()], [place], s=160, color="black", marker="|", lw=2)
    base = 100 * np.asarray(base_means)
    accuracy.vlines(base, places - 0.5, places + 0.5, color="black", lw=0.8, ls=":")
    accuracy.set_xlabel("accuracy, % (dots: seeds, line: mean, dotted: base)")
    accuracy.set_yticks(places, [shorten(name, NAME_LENGTH) for name in names])
    _draw_differences(difference, 100 * differences)
    difference.set_xlabel("difference from the base, points (95 % over images)")
    for axes in (accuracy, difference):
        _frame(axes)
    accuracy.set_ylim(len(names) - 0.5, -0.5)
    figure.suptitle(title, fontsize=11)
    return figure


def plot_class_accuracies(
    accuracies: np.ndarray, names: Sequence[str], class_names: Sequence[str], title: str
) -> Figure:
    """Accuracy of each class under each variation, the base as a line across its row.

    Args:
        accuracies: In [0, 1], (V, K), the base first; NaN for a class without images.
        names: Of the variations.
        class_names: Names of the K classes.
        title: What was compared.
    """
    shown = np.flatnonzero(~np.isnan(accuracies[0]))
    if len(shown) > MAX_CLASSES:
        change = np.abs(accuracies[1:, shown] - accuracies[0, shown]).max(axis=0)
        shown = shown[np.sort(np.argsort(-change, kind="stable")[:MAX_CLASSES])]
        title = f"{title}; the {MAX_CLASSES} classes that change most"
    figure = Figure(figsize=(8.6, ROW_INCHES * len(shown) + 1.9), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places, spread = np.arange(len(shown)), np.linspace(-0.28, 0.28, max(len(names) - 1, 1))
    if len(names) == 2:
        spread = np.zeros(1)
    base = 100 * accuracies[0, shown]
    axes.vlines(base, places - 0.42, places + 0.42, color="black", lw=2, label=names[0])
    for index, name in enumerate(names[1:]):
        values = 100 * accuracies[index + 1, shown]
        color = OKABE_ITO[index % len(OKABE_ITO)]
        axes.hlines(places + spread[index], base, values, color=color, lw=1, alpha=0.6)
        marker = MARKERS[index % len(MARKERS)]
        label = shorten(name, NAME_LENGTH)
        axes.scatter(
            values,
            places + spread[index],
            s=30,
            color=color,
            marker=marker,
            label=label,
            zorder=3,
            clip_on=False,
        )
    axes.set_yticks(places, [shorten(class_names[k], NAME_LENGTH) for k in shown.tolist()])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("accuracy of the class, %")
    _frame(axes)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    return figure


def plot_destinations(
    shares: Mapping[str, np.ndarray], class_names: Sequence[str], title: str
) -> Figure:
    """Which classes the images of a class are taken for that a network has never seen.

    Args:
        shares: Of its images that are taken for each class, in [0, 1], (K,), by the name of the
            row.
        class_names: Names of the K classes.
        title: What was looked at.
    """
    figure = Figure(figsize=(8.6, 0.55 * len(shares) + 1.9), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    colors = class_colors(len(class_names))
    table = 100 * np.stack(list(shares.values()))
    left = np.zeros(len(table))
    for k in np.flatnonzero(table.any(axis=0)).tolist():
        axes.barh(
            np.arange(len(table)),
            table[:, k],
            left=left,
            color=colors[k],
            height=0.7,
            label=shorten(class_names[k], NAME_LENGTH),
        )
        for place in np.flatnonzero(table[:, k] >= FEWEST).tolist():
            middle = left[place] + table[place, k] / 2
            dark = colors[k] @ (0.299, 0.587, 0.114) < 0.55
            axes.text(
                middle,
                place,
                f"{table[place, k]:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
        left += table[:, k]
    axes.set_yticks(np.arange(len(table)), list(shares))
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("taken for, % of the images of the class")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_differences(axes: Axes, differences: np.ndarray) -> None:
    axes.axvline(0, color="black", lw=0.8)
    for place, (value, low, high) in enumerate(differences.tolist()):
        if np.isnan(value):
            axes.plot([0], [place], "o", ms=5, mfc="white", mec="black")
            continue
        color = NEUTRAL if low <= 0 <= high else RIGHT if value > 0 else WRONG
        axes.errorbar(
            [value],
            [place],
            xerr=[[value - low], [high - value]],
            fmt="o",
            color=color,
            capsize=3,
            ms=5,
        )
        axes.annotate(
            f"{value:+.1f}",
            (value, place),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )


def _frame(axes: Axes) -> None:
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
