"""Confusion matrix of 2 to 10,000 classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from callbacks.plots.confusion.cells import Colors, Fonts, annotations, draw_cells, margins
from callbacks.plots.confusion.layout import MAX_NAMED, NUM_LISTED, Matrix, Texts, lay_out
from callbacks.plots.confusion.order import (
    Confusion,
    Grouping,
    cluster_classes,
    most_frequent_confusions,
    shares_of,
)
from callbacks.plots.confusion.panels import MAX_CELLS, Listed, reduced
from callbacks.plots.drawing.grid_version import DPI, FONT, WIDTH, set_grid_version
from callbacks.plots.drawing.page import Box, new_page
from callbacks.plots.drawing.style import BAD
from callbacks.plots.drawing.texts import counted, shorten

CMAP = "Blues"
SMALL_CLASSES, SMALL_LENGTH, SMALL_FONT = 12, 9, 6.6  # of the grid version


def plot_confusion_matrix(
    counts: np.ndarray,
    class_names: Sequence[str],
    title: str,
    normalize: bool,
    grouping: Grouping | None = None,
) -> Figure:
    """Draw a confusion matrix with true classes as rows; see `lay_out`.

    The most frequent confusions are listed below.

    Args:
        counts: Images (true, predicted), (K, K).
        class_names: Names of the K classes.
        title: Title of the figure.
        normalize: Show percent of each true class instead of counts; a class without images
            has a row of zeros.
        grouping: See `grouping_of`; None to find it.
    """
    values = counts
    if normalize:
        values = shares_of(counts)
        values *= 100
    colors = percent_colors() if normalize else _colors(max(float(counts.max()), 1.0))
    texts = Texts(
        title,
        "% of the true class" if normalize else "images",
        "Most frequent confusions (true → predicted)",
        "that are confused most",
        "No confusion",
    )
    lines = [_listed(confusion) for confusion in most_frequent_confusions(counts, NUM_LISTED)]
    figure = lay_out(Matrix(values, counts, class_names, colors, grouping), lines, texts)
    small = reduced(values, range(len(values))) if len(values) > MAX_CELLS else values
    return set_grid_version(figure, _small_matrix, small, class_names, colors)


def grouping_of(counts: np.ndarray) -> Grouping | None:
    """Order of the classes, for several figures; None if all can be named in their own order."""
    return cluster_classes(counts) if len(counts) > MAX_NAMED else None


def percent_colors() -> Colors:
    """Colours of percent of the true class."""
    return _colors(100.0)


def _colors(highest: float) -> Colors:
    # The square root makes a confusion of one percent visible.
    return Colors(CMAP, PowerNorm(0.5, 0, highest))


def _small_matrix(values: np.ndarray, class_names: Sequence[str], colors: Colors) -> Figure:
    """The cells; up to a dozen classes are named, and their larger numbers written."""
    number, fonts = len(class_names), Fonts(FONT, SMALL_FONT, FONT)
    named = number <= SMALL_CLASSES
    names = [shorten(name, SMALL_LENGTH) for name in class_names] if named else []
    room = max(margins(names, WIDTH, fonts, DPI)) + 1
    side = (WIDTH - room) // number * number if named else WIDTH - room
    left, below = margins(names, side, fonts, DPI)
    figure = new_page(left + side + 1, side + below, DPI)
    numbers = annotations(values, 0) if named else None
    draw_cells(figure, Box(left, 0, side, side), values, names, colors, fonts, numbers)
    return figure


def _listed(confusion: Confusion) -> Listed:
    true, predicted, images, share = confusion
    note = f"{counted(images, 'image')}, {share:.0%} of the class"
    return Listed(true, predicted, images, note, BAD)
