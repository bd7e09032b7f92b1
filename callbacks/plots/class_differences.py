"""Class differences: change in recall of each class between two networks."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import BAD, DPI, GOOD
from callbacks.plots.drawing.texts import shorten
from callbacks.plots.per_class import MAX_NAMED, NAME_LENGTH, ROW_INCHES, draw_support

UNSURE = "#777777"


def plot_class_differences(
    differences: Mapping[str, np.ndarray], class_names: Sequence[str], title: str
) -> Figure:
    """Draw the change of each class with its interval, the largest gain first, and its images.

    If there are many classes, only the largest gains and losses are drawn this way, beside a curve
    of all classes.

    Args:
        differences: `difference` in the recall of the class, in [-1, 1], the ends `low` and
            `high` of its interval, and `support`, the number of its images, (K,) each.
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    order = np.argsort(-differences["difference"], kind="stable")
    many = len(order) > MAX_NAMED
    half = MAX_NAMED // 2
    shown: list[int] = (np.append(order[:half], order[-half:]) if many else order).tolist()
    height = max(2.6, ROW_INCHES * len(shown) + 1.7)
    figure = Figure(figsize=(12.4 if many else 8.6, height), dpi=DPI, layout="constrained")
    *rest, marks, images = figure.subplots(1, 2 + many, width_ratios=[3.4] * many + [5, 1.4])
    points = {name: 100 * differences[name] for name in ("difference", "low", "high")}
    reach = 1.03 * max(abs(points["low"]).max(), abs(points["high"]).max())
    _draw_marks(marks, {name: values[shown] for name, values in points.items()}, reach)
    names = [shorten(class_names[k], NAME_LENGTH) for k in shown]
    marks.set_yticks(np.arange(len(shown)), names, fontsize=9)
    draw_support(images, differences["support"][shown])
    for axes in rest:
        _draw_all(axes, {name: values[order] for name, values in points.items()}, reach)
        marks.axhline(half - 0.5, color="black", lw=0.8, ls=":")
        marks.set_title(f"The {half} largest gains and the {half} largest losses", fontsize=9)
    handles, labels = marks.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_marks(axes: Axes, points: Mapping[str, np.ndarray], reach: float) -> None:
    groups = {
        (GOOD, "better"): points["low"] > 0,
        (UNSURE, "undecided: the 95 % interval includes zero"): (points["low"] <= 0)
        & (points["high"] >= 0),
        (BAD, "worse"): points["high"] < 0,
    }
    for (color, label), chosen in groups.items():
        if chosen.any():
            ends = {name: values[chosen] for name, values in points.items()}
            middle = ends["difference"]
            axes.errorbar(
                middle,
                np.flatnonzero(chosen),
                xerr=np.stack([middle - ends["low"], ends["high"] - middle]).clip(min=0),
                fmt="o",
                color=color,
                ms=5,
                elinewidth=1.4,
                capsize=2.5,
                label=label,
            )
    _frame(axes, len(points["low"]), reach)


def _draw_all(axes: Axes, points: Mapping[str, np.ndarray], reach: float) -> None:
    """The differences of all classes as one curve."""
    places = np.arange(len(points["low"]))
    axes.fill_betweenx(places, points["low"], points["high"], color=UNSURE, alpha=0.3, lw=0)
    axes.plot(points["difference"], places, color="black", lw=1.4)
    axes.set_ylabel("classes by their gain")
    axes.set_title(f"All {len(places):,} classes", fontsize=9)
    _frame(axes, len(places), reach)


def _frame(axes: Axes, num_rows: int, reach: float) -> None:
    axes.axvline(0, color="black", lw=1, zorder=1)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(num_rows - 0.4, -0.6)
    axes.set_xlabel("change in the recall of the class,\npercentage points")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
