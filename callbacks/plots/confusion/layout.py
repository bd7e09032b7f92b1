"""Layout of confusion matrices for 2 to 10,000 classes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.confusion.cells import (
    PAD,
    Colors,
    Fonts,
    annotations,
    draw_cells,
    font_size,
    margins,
)
from callbacks.plots.confusion.order import Grouping, cluster_classes, most_confused
from callbacks.plots.confusion.panels import (
    Listed,
    block_size,
    draw_group_names,
    draw_list,
    draw_overview,
    group_name_pixels,
    group_names,
    list_size,
    reduced,
)
from callbacks.plots.drawing.colour_bar import ROOM, ColourBar
from callbacks.plots.drawing.page import Box, new_page, write
from callbacks.plots.drawing.style import DPI
from callbacks.plots.drawing.texts import wrapped

MAX_ANNOTATED = 25  # of more classes, cells are too small for numbers
MAX_NAMED = 60  # of more classes, not every row can have a readable name
NUM_ENLARGED = 20  # classes that are drawn again with names and numbers, if there are more
NUM_LISTED = 8  # confusions in the list
OVERVIEW, MARGIN, GAP, HEAD, LABEL = 840, 14, 24, 30, 40  # pixels
ENLARGED_FONT, TITLE_FONT, HEAD_FONT = 9, 11, 9  # points


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
    if len(matrix.class_names) <= MAX_NAMED:
        return _plot_named(matrix, lines, texts)
    return _plot_many(matrix, lines, texts)


def _plot_named(matrix: Matrix, lines: Sequence[Listed], texts: Texts) -> Figure:
    """The matrix with a name for each class, and the list below."""
    values, _, class_names, colors, _ = matrix
    number = len(class_names)
    inches = float(np.clip(2.8 + 0.29 * number, 3.6, 9))
    side = number * round(inches * DPI / number)
    font = font_size(number, inches)
    fonts = Fonts(font, font)
    left, below = margins(class_names, side, fonts, DPI)
    wide, high = list_size(lines, class_names, DPI)
    across = max(left + side + ROOM, wide)
    figure, top = matrix_page(across, side + below + GAP + high, texts.title)
    cells = Box((figure.bbox.width - left - side - ROOM) // 2 + left, top, side, side)
    numbers = annotations(values, 0) if number <= MAX_ANNOTATED else None
    draw_cells(figure, cells, values, class_names, colors, fonts, numbers)
    add_bar(figure, cells, matrix, texts.unit)
    place = Box((figure.bbox.width - wide) // 2, cells.bottom + below + GAP, wide, high)
    draw_list(figure, place, lines, class_names, texts.listed)
    return figure


def _plot_many(matrix: Matrix, lines: Sequence[Listed], texts: Texts) -> Figure:
    """All classes in groups, and beside them the most confused ones, in the same order."""
    values, counts, class_names, colors, grouping = matrix
    order, groups = grouping or cluster_classes(counts)
    labels = group_names(values, order, [class_names[k] for k in order], groups)
    chosen = most_confused(counts, NUM_ENLARGED) or range(NUM_ENLARGED)
    shown = [k for k in order if k in chosen]
    inner, names = values[np.ix_(shown, shown)], [class_names[k] for k in shown]
    fonts, side = Fonts(ENLARGED_FONT, ENLARGED_FONT), len(shown) * round(OVERVIEW / len(shown))
    left, below = margins(names, side, fonts, DPI)
    start = round(group_name_pixels(labels, DPI)) + LABEL
    wide, high = list_size(lines, class_names, DPI)
    width = start + OVERVIEW + 2 * GAP + left + side + ROOM
    height = HEAD + max(OVERVIEW + 2 * GAP + high, side + below)
    figure, top = matrix_page(width, height, texts.title)
    overview = Box(MARGIN + start, top + HEAD, OVERVIEW, OVERVIEW)
    draw_overview(figure, overview, reduced(values, order), colors, groups, len(values))
    draw_group_names(figure, overview, labels)
    _head(figure, overview, _all_classes(len(values)))
    cells = Box(overview.right + 2 * GAP + left, overview.top, side, side)
    draw_cells(figure, cells, inner, names, colors, fonts, annotations(inner, 0))
    add_bar(figure, cells, matrix, texts.unit)
    enlarged = f"The {len(shown)} classes {texts.enlarged}"
    _head(figure, cells, enlarged if counts.trace() < counts.sum() else texts.none)
    edge = max(overview.middle[0] - wide / 2, MARGIN)
    place = Box(edge, overview.bottom + 2 * GAP, wide, high)
    draw_list(figure, place, lines, class_names, texts.listed)
    return figure


def matrix_page(
    width: float, height: float, title: str, font: float = TITLE_FONT
) -> tuple[Figure, float]:
    """A figure with room of a size in pixels below its title, and where that room begins."""
    title = wrapped(title, width / DPI, font)
    top = 2 * MARGIN + round(1.4 * font * DPI / 72) * (title.count("\n") + 1)
    figure = new_page(round(width) + 2 * MARGIN, top + round(height) + MARGIN)
    figure.suptitle(title, y=1 - MARGIN / figure.bbox.height, va="top", fontsize=font)
    return figure, top


def add_bar(figure: Figure, cells: Box, matrix: Matrix, unit: str) -> None:
    """Add the colour bar to the right of the cells."""
    whole = np.issubdtype(matrix.values.dtype, np.integer)  # no ticks at half images
    ColourBar(figure, cells, *matrix.colors, unit, whole)


def _all_classes(number: int) -> str:
    block = block_size(number)
    dots = f"; a dot is the largest of {block} x {block} cells" if block > 1 else ""
    return f"All {number:,} classes, grouped by confusion{dots}"


def _head(figure: Figure, box: Box, text: str) -> None:
    write(figure, box.middle[0], box.top - PAD, text, HEAD_FONT, ha="center", va="bottom")
