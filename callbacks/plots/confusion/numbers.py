"""Confusion matrix with all its numbers, so large that there is room for them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from callbacks.plots.confusion.layout import BAR
from callbacks.plots.confusion.matrix import percent_colors
from callbacks.plots.confusion.order import shares_of
from callbacks.plots.confusion.panels import draw_cells, name_inches
from callbacks.plots.drawing.style import DPI

CELL_INCHES = 0.38  # room for 100.0


def plot_confusion_numbers(counts: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix, in percent of each true class, with a number in every cell.

    Cells that round to 0.0 are empty. The figure is as large as that takes: 50 classes take 22
    inches. `plot_confusion_matrix` draws one that fits on a page.

    Args:
        counts: Images (true, predicted), (K, K).
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    inches = CELL_INCHES * len(class_names)
    names, colors = name_inches(class_names, inches), percent_colors()
    size = (inches + names + 2.0, inches + names + 1.0)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    draw_cells(axes, 100 * shares_of(counts), class_names, colors, inches, decimals=1)
    bar = figure.colorbar(ScalarMappable(colors.norm, colors.cmap), ax=axes, **BAR)
    bar.set_label("% of the true class")
    figure.suptitle(title, fontsize=16)
    return figure
