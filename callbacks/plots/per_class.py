"""Class scores: F1, precision and recall of each class, the lowest F1 first."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.grid_version import FONT, set_grid_version, small_plot
from callbacks.plots.drawing.style import DPI
from callbacks.plots.drawing.texts import shorten

MAX_NAMED = 40  # of more classes, only those with the lowest F1 are named
ROW_INCHES = 0.24
NAME_LENGTH = 24
SMALL_CLASSES, SMALL_LENGTH = 12, 12  # of the grid version
F1, PRECISION, RECALL, SUPPORT = "#56B4E9", "#E69F00", "#009E73", "#999999"  # Okabe and Ito


def plot_class_scores(
    scores: Mapping[str, np.ndarray], class_names: Sequence[str], title: str
) -> Figure:
    """Draw F1 as bars with intervals, precision and recall as marks, and the images of each class.

    If there are many classes, only the lowest scores are drawn this way, beside a curve of all
    classes. Classes that do not occur are omitted.

    Args:
        scores: `precision`, `recall`, `f1`, the ends `low` and `high` of its interval, and
            `support`, (K,) each; NaN for classes that do not occur.
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    order = np.argsort(scores["f1"], kind="stable")
    order = order[~np.isnan(scores["f1"][order])]  # no gaps in the curve
    shown: list[int] = order[:MAX_NAMED].tolist()
    many = len(order) > MAX_NAMED
    height = max(3.4, ROW_INCHES * len(shown) + 1.9)
    figure = Figure(figsize=(12.4 if many else 8.6, height), dpi=DPI, layout="constrained")
    *rest, bars, images = figure.subplots(1, 2 + many, width_ratios=[3.4] * many + [5, 1.4])
    _draw_scores(bars, {name: values[shown] for name, values in scores.items()})
    names = [shorten(class_names[k], NAME_LENGTH) for k in shown]
    bars.set_yticks(np.arange(len(shown)), names, fontsize=9)
    draw_support(images, scores["support"][shown])
    for axes in rest:
        _draw_all(axes, {name: values[order] for name, values in scores.items()})
        bars.set_title(f"The {len(shown)} lowest F1 scores", fontsize=9)
    handles, labels = bars.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    lowest: list[int] = order[:SMALL_CLASSES].tolist()
    names = [shorten(class_names[k], SMALL_LENGTH) for k in lowest]
    return set_grid_version(figure, _small_scores, scores["f1"][lowest], names)


def _small_scores(f1: np.ndarray, names: Sequence[str]) -> Figure:
    """The lowest F1 scores as bars."""
    axes = small_plot()
    axes.barh(np.arange(len(f1)), f1, height=0.75, color=F1)
    axes.set_yticks(np.arange(len(f1)), names, fontsize=FONT)
    _frame(axes, len(f1))
    axes.set_xlabel("F1", fontsize=FONT)
    return axes.get_figure(root=True) or Figure()


def _draw_scores(axes: Axes, scores: Mapping[str, np.ndarray]) -> None:
    places, f1 = np.arange(len(scores["f1"])), scores["f1"]
    axes.barh(places, f1, height=0.75, color=F1, label="F1")
    reach = np.stack([f1 - scores["low"], scores["high"] - f1]).clip(min=0)
    axes.errorbar(
        f1,
        places,
        xerr=reach,
        fmt="none",
        ecolor="black",
        elinewidth=1,
        capsize=2,
        label="95 % interval of F1",
    )
    ring = {"facecolors": "none", "edgecolors": RECALL, "s": 50, "linewidths": 1.4}
    dot = {"facecolors": PRECISION, "edgecolors": "white", "s": 20, "linewidths": 0.5}
    for name, mark, look in (
        ("precision", "o", dot),
        ("recall", "D", ring),
    ):  # visible even if both are equal
        axes.scatter(scores[name], places, marker=mark, zorder=3, label=name, clip_on=False, **look)
    _frame(axes, len(places))


def _draw_all(axes: Axes, scores: Mapping[str, np.ndarray]) -> None:
    """Draw F1 of all classes as one curve."""
    places = np.arange(len(scores["f1"]))
    axes.fill_betweenx(places, 0, scores["f1"], color=F1, step="mid")
    axes.fill_betweenx(places, scores["low"], scores["high"], color="black", alpha=0.25, lw=0)
    axes.plot(scores["f1"], places, color="black", lw=1)
    axes.axhline(MAX_NAMED - 0.5, color="black", lw=0.8, ls=":")
    axes.set_ylabel("classes by F1")
    axes.set_title(f"All {len(places):,} classes", fontsize=9)
    _frame(axes, len(places))


def _frame(axes: Axes, num_rows: int) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(num_rows - 0.4, -0.6)
    axes.set_xlabel("score")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def draw_support(axes: Axes, support: np.ndarray) -> None:
    """Draw the number of images of each class, (K,), as bars from top to bottom."""
    places = np.arange(len(support))
    axes.barh(places, support, height=0.75, color=SUPPORT)
    for place, count in zip(places, support, strict=True):
        axes.annotate(
            f"{count:,}",
            (count, place),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    axes.set_xlim(0, 1.35 * max(support.max(initial=0), 1))
    axes.set_ylim(len(support) - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("images")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
