"""Matrices of classes, laid out so that they can be read from 2 to 1,000 classes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from callbacks.plots.confusion.order import cluster_classes, most_confused
from callbacks.plots.confusion.panels import (
    Colors,
    Listed,
    draw_cells,
    draw_list,
    draw_overview,
    name_inches,
)
from callbacks.plots.drawing.style import DPI

MAX_NAMED = 60  # classes beyond which not every row can have a name that can be read
NUM_ENLARGED = 20  # of more classes, those that are drawn once more with names and numbers
NUM_LISTED = 8  # confusions
LINE_INCHES = 0.2
OVERVIEW_INCHES = 6.6
BAR = {"shrink": 0.75, "aspect": 30, "fraction": 0.04}  # of a colour bar, which is about as wide


class Matrix(NamedTuple):
    """What is drawn of K classes.

    Attributes:
        values: What the colours mean, (K, K).
        counts: Images, (K, K): they say what classes belong together, and which matter most.
        class_names: Names of the classes.
        colors: Of the values.
    """

    values: np.ndarray
    counts: np.ndarray
    class_names: Sequence[str]
    colors: Colors


class Texts(NamedTuple):
    """What is said of a matrix.

    Attributes:
        title: Of the figure.
        unit: Of the values.
        listed: Title of the list.
        enlarged: What the classes have in common that are drawn large: `that are confused most`.
        none: What is said if no class is.
    """

    title: str
    unit: str
    listed: str
    enlarged: str
    none: str


def lay_out(matrix: Matrix, lines: Sequence[Listed], texts: Texts) -> Figure:
    """Draw a heat map, rows the true classes and columns the predicted ones, and a list beneath.

    Classes that are too many to be named are sorted so that those that are taken for each other
    lie together; the ones that are confused most are drawn beside them, large.

    Args:
        matrix: What to draw.
        lines: The list, the largest first.
        texts: What to say.
    """
    inches = LINE_INCHES * (len(lines) + 2) if lines else 0.01
    if len(matrix.class_names) <= MAX_NAMED:
        figure, cells, below = _plot_named(matrix, inches)
    else:
        figure, cells, below = _plot_many(matrix, inches, texts)
    colors = ScalarMappable(matrix.colors.norm, matrix.colors.cmap)
    whole = np.issubdtype(matrix.values.dtype, np.integer)  # there is no half of an image
    ticks = MaxNLocator(integer=True) if whole else None
    figure.colorbar(colors, ax=cells, ticks=ticks, **BAR).set_label(texts.unit)
    draw_list(below, lines, matrix.class_names, texts.listed)
    figure.suptitle(texts.title, fontsize=11)
    return figure


def _plot_named(matrix: Matrix, lines: float) -> tuple[Figure, Axes, Axes]:
    """A figure, its axes of the matrix, and empty ones beneath that are `lines` inches high."""
    class_names = matrix.class_names
    inches = float(np.clip(2.8 + 0.29 * len(class_names), 3.6, 9))
    names = name_inches(class_names, inches)
    below = names if names > inches / len(class_names) else 0.2
    width, height = inches + names + 1.6, inches + below + 1.0
    figure = Figure(figsize=(width, height + lines), dpi=DPI, layout="constrained")
    cells, rest = figure.subplots(2, 1, height_ratios=(height, lines))
    draw_cells(cells, matrix.values, class_names, matrix.colors, inches)
    return figure, cells, rest


def _plot_many(matrix: Matrix, lines: float, texts: Texts) -> tuple[Figure, Axes, Axes]:
    """All classes in groups, and beside them the most confused ones in the same order."""
    values, counts, class_names, colors = matrix
    size = (16.8, OVERVIEW_INCHES + lines + 1)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(OVERVIEW_INCHES, lines))
    order, groups = cluster_classes(counts)
    overview = figure.add_subplot(grid[0, 0])
    names = [class_names[k] for k in order]
    draw_overview(overview, values[np.ix_(order, order)], names, colors, groups)
    overview.set_title(f"all {len(counts):,} classes, in groups by confusion", fontsize=9)
    chosen = most_confused(counts, NUM_ENLARGED) or range(NUM_ENLARGED)
    shown = [k for k in order if k in chosen]
    cells = figure.add_subplot(grid[:, 1])
    names = [class_names[k] for k in shown]
    draw_cells(cells, values[np.ix_(shown, shown)], names, colors, OVERVIEW_INCHES)
    confused = f"the {len(shown)} classes {texts.enlarged}"
    cells.set_title(confused if counts.trace() < counts.sum() else texts.none, fontsize=9)
    return figure, cells, figure.add_subplot(grid[1, 0])
