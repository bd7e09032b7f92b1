"""Layout of confusion matrices for 2 to 10,000 classes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from callbacks.plots.confusion.order import Grouping, cluster_classes, most_confused
from callbacks.plots.confusion.panels import (
    Colors,
    Listed,
    block_size,
    draw_cells,
    draw_list,
    draw_overview,
    name_inches,
)
from callbacks.plots.drawing.style import DPI

MAX_NAMED = 60  # of more classes, not every row can have a readable name
NUM_ENLARGED = 20  # classes that are drawn again with names and numbers, if there are more
NUM_LISTED = 8  # confusions in the list
LINE_INCHES = 0.2
OVERVIEW_INCHES = 6.6
BAR = {"shrink": 0.75, "aspect": 30, "fraction": 0.04}  # of a colour bar, the same in both layouts


class Matrix(NamedTuple):
    """A matrix of K classes to draw.

    Attributes:
        values: Values that are shown as colours, (K, K).
        counts: Images, (K, K), by which classes are grouped and selected.
        class_names: Names of the classes.
        colors: Colours of the values.
        grouping: Order of the classes if there are too many to name; None to find it.
    """

    values: np.ndarray
    counts: np.ndarray
    class_names: Sequence[str]
    colors: Colors
    grouping: Grouping | None = None


class Texts(NamedTuple):
    """Texts of a matrix.

    Attributes:
        title: Title of the figure.
        unit: Label of the colour bar.
        listed: Title of the list.
        enlarged: What the enlarged classes have in common: `that are confused most`.
        none: Title of the enlarged part if there is no confusion.
    """

    title: str
    unit: str
    listed: str
    enlarged: str
    none: str


def lay_out(matrix: Matrix, lines: Sequence[Listed], texts: Texts) -> Figure:
    """Draw a heat map, with true classes as rows and predicted ones as columns, above a list.

    If there are too many classes to name them all, they are sorted so that classes that are
    confused with each other are adjacent, and the most confused ones are drawn again, enlarged.

    Args:
        matrix: The matrix to draw.
        lines: Lines of the list, the largest first.
        texts: Titles and labels.
    """
    inches = LINE_INCHES * (len(lines) + 2) if lines else 0.01
    if len(matrix.class_names) <= MAX_NAMED:
        figure, cells, below = _plot_named(matrix, inches)
    else:
        figure, cells, below = _plot_many(matrix, inches, texts)
    colors = ScalarMappable(matrix.colors.norm, matrix.colors.cmap)
    whole = np.issubdtype(matrix.values.dtype, np.integer)  # no ticks at half images
    ticks = MaxNLocator(integer=True) if whole else None
    figure.colorbar(colors, ax=cells, ticks=ticks, **BAR).set_label(texts.unit)
    draw_list(below, lines, matrix.class_names, texts.listed)
    figure.suptitle(texts.title, fontsize=11)
    return figure


def _plot_named(matrix: Matrix, lines: float) -> tuple[Figure, Axes, Axes]:
    """A figure with the matrix, its axes, and empty axes below of a height in inches."""
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
    """All classes in groups, and beside them the most confused ones, in the same order."""
    values, counts, class_names, colors, grouping = matrix
    size = (16.8, OVERVIEW_INCHES + lines + 1)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(OVERVIEW_INCHES, lines))
    order, groups = grouping or cluster_classes(counts)
    overview = figure.add_subplot(grid[0, 0])
    names = [class_names[k] for k in order]
    draw_overview(overview, values, order, names, colors, groups)
    block = block_size(len(counts))
    dots = f"; a dot is the largest of {block} x {block} cells" if block > 1 else ""
    title = f"All {len(counts):,} classes, grouped by confusion{dots}"
    overview.set_title(title, fontsize=9)
    chosen = most_confused(counts, NUM_ENLARGED) or range(NUM_ENLARGED)
    shown = [k for k in order if k in chosen]
    cells = figure.add_subplot(grid[:, 1])
    names = [class_names[k] for k in shown]
    draw_cells(cells, values[np.ix_(shown, shown)], names, colors, OVERVIEW_INCHES)
    confused = f"The {len(shown)} classes {texts.enlarged}"
    cells.set_title(confused if counts.trace() < counts.sum() else texts.none, fontsize=9)
    return figure, cells, figure.add_subplot(grid[1, 0])
