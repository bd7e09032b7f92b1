"""Confusion matrices that can be read from 2 to 1,000 classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from callbacks.plots.confusion_order import (
    cluster_classes,
    frequent_confusions,
    most_confused,
    shares_of,
)
from callbacks.plots.confusion_panels import (
    CMAP,
    draw_cells,
    draw_list,
    draw_overview,
    name_inches,
)
from callbacks.plots.sheet import DPI

MAX_NAMED = 60  # classes beyond which not every row can have a name that can be read
NUM_ENLARGED = 20  # of more classes, those that are drawn once more with names and numbers
NUM_LISTED = 8  # confusions
LINE_INCHES = 0.2
OVERVIEW_INCHES = 6.6
BAR = {"shrink": 0.75, "aspect": 30, "fraction": 0.04}  # of a colour bar, which is about as wide


def plot_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], title: str, normalize: bool
) -> Figure:
    """Draw a heat map, rows the true classes and columns the predicted ones.

    The most frequent confusions are listed beneath. Classes that are too many to be named are
    sorted so that those that are taken for each other lie together; the ones that are confused
    most are drawn beside them, large.

    Args:
        counts: Images, (K, K).
        class_names: Names of the K classes.
        title: What was counted.
        normalize: Show percent of each true class instead of counts; a class without images
            has a row of zeros.
    """
    values = 100 * shares_of(counts) if normalize else counts
    # The square root shows an error of one percent, which a linear scale would not.
    norm = PowerNorm(0.5, 0, 100.0 if normalize else max(float(counts.max()), 1.0))
    confusions = frequent_confusions(counts, NUM_LISTED)
    lines = LINE_INCHES * (len(confusions) + 2) if confusions else 0.01
    if len(class_names) <= MAX_NAMED:
        figure, cells, below = _plot_named(values, class_names, norm, lines)
    else:
        figure, cells, below = _plot_many(counts, values, class_names, norm, lines)
    ticks = None if normalize else MaxNLocator(integer=True)  # there is no half of an image
    bar = figure.colorbar(ScalarMappable(norm, CMAP), ax=cells, ticks=ticks, **BAR)
    bar.set_label("% of the true class" if normalize else "images")
    draw_list(below, confusions, class_names)
    figure.suptitle(title, fontsize=11)
    return figure


def _plot_named(
    values: np.ndarray, class_names: Sequence[str], norm: PowerNorm, lines: float
) -> tuple[Figure, Axes, Axes]:
    """A figure, its axes of the matrix, and empty ones beneath that are `lines` inches high."""
    inches = float(np.clip(2.8 + 0.29 * len(class_names), 3.6, 9))
    names = name_inches(class_names, inches)
    below = names if names > inches / len(class_names) else 0.2
    width, height = inches + names + 1.6, inches + below + 1.0
    figure = Figure(figsize=(width, height + lines), dpi=DPI, layout="constrained")
    cells, rest = figure.subplots(2, 1, height_ratios=(height, lines))
    draw_cells(cells, values, class_names, norm, inches)
    return figure, cells, rest


def _plot_many(
    counts: np.ndarray,
    values: np.ndarray,
    class_names: Sequence[str],
    norm: PowerNorm,
    lines: float,
) -> tuple[Figure, Axes, Axes]:
    """All classes in groups, and beside them the most confused ones in the same order."""
    size = (16.8, OVERVIEW_INCHES + lines + 1)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(OVERVIEW_INCHES, lines))
    order, groups = cluster_classes(counts)
    overview = figure.add_subplot(grid[0, 0])
    names = [class_names[k] for k in order]
    draw_overview(overview, values[np.ix_(order, order)], names, norm, groups)
    overview.set_title(f"all {len(counts):,} classes, in groups by confusion", fontsize=9)
    chosen = most_confused(counts, NUM_ENLARGED) or range(NUM_ENLARGED)
    shown = [k for k in order if k in chosen]
    cells = figure.add_subplot(grid[:, 1])
    names = [class_names[k] for k in shown]
    draw_cells(cells, values[np.ix_(shown, shown)], names, norm, OVERVIEW_INCHES)
    confused = f"the {len(shown)} classes that are confused most"
    cells.set_title(confused if counts.trace() < counts.sum() else "no confusion", fontsize=9)
    return figure, cells, figure.add_subplot(grid[1, 0])
