"""Confusion matrix of 2 to 1,000 classes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from callbacks.plots.confusion.layout import NUM_LISTED, Matrix, Texts, lay_out
from callbacks.plots.confusion.order import Confusion, most_frequent_confusions, shares_of
from callbacks.plots.confusion.panels import Colors, Listed
from callbacks.plots.drawing.style import BAD
from callbacks.plots.drawing.texts import counted

CMAP = "Blues"


def plot_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], title: str, normalize: bool
) -> Figure:
    """Draw a confusion matrix with true classes as rows; see `lay_out`.

    The most frequent confusions are listed below.

    Args:
        counts: Images (true, predicted), (K, K).
        class_names: Names of the K classes.
        title: Title of the figure.
        normalize: Show percent of each true class instead of counts; a class without images
            has a row of zeros.
    """
    values = 100 * shares_of(counts) if normalize else counts
    colors = percent_colors() if normalize else _colors(max(float(counts.max()), 1.0))
    texts = Texts(
        title,
        "% of the true class" if normalize else "images",
        "Most frequent confusions (true → predicted)",
        "that are confused most",
        "No confusion",
    )
    lines = [_listed(confusion) for confusion in most_frequent_confusions(counts, NUM_LISTED)]
    return lay_out(Matrix(values, counts, class_names, colors), lines, texts)


def percent_colors() -> Colors:
    """Colours of percent of the true class."""
    return _colors(100.0)


def _colors(highest: float) -> Colors:
    # The square root makes a confusion of one percent visible.
    return Colors(CMAP, PowerNorm(0.5, 0, highest))


def _listed(confusion: Confusion) -> Listed:
    true, predicted, images, share = confusion
    note = f"{counted(images, 'image')}, {share:.0%} of the class"
    return Listed(true, predicted, images, note, BAD)
