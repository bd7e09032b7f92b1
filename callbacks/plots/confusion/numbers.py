"""Confusion matrix with all its numbers, so large that there is room for them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.confusion.cells import Fonts, annotations, draw_cells, font_size, margins
from callbacks.plots.confusion.layout import MARGIN, matrix_page
from callbacks.plots.confusion.matrix import percent_colors
from callbacks.plots.confusion.order import shares_of
from callbacks.plots.drawing.colour_bar import ROOM, ColourBar
from callbacks.plots.drawing.page import Box
from callbacks.plots.drawing.style import DPI

CELL = 52  # pixels: room for 100.0
TITLE_FONT = 14


def plot_confusion_numbers(counts: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix, in percent of each true class, with a number in every cell.

    Cells that round to 0.0 are empty. The figure is as large as that takes: 50 classes take 22
    inches. `plot_confusion_matrix` draws one that fits on a page.

    Args:
        counts: Images (true, predicted), (K, K).
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    number, colors = len(class_names), percent_colors()
    side = CELL * number
    font = font_size(number, side / DPI)
    fonts = Fonts(font, font)
    left, below = margins(class_names, side, fonts, DPI)
    figure, top = matrix_page(left + side + ROOM, side + below, title, TITLE_FONT)
    cells = Box(MARGIN + left, top, side, side)
    values = 100 * shares_of(counts)
    draw_cells(figure, cells, values, class_names, colors, fonts, annotations(values, 1))
    ColourBar(figure, cells, *colors, "% of the true class")
    return figure
