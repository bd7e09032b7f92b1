"""Difference of two confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import FuncNorm
from matplotlib.figure import Figure

from callbacks.plots.confusion.cells import Colors
from callbacks.plots.confusion.layout import NUM_LISTED, Matrix, Texts, lay_out
from callbacks.plots.confusion.order import most_frequent_confusions, shares_of
from callbacks.plots.confusion.panels import Listed
from callbacks.plots.drawing.style import BAD, GOOD

CMAP = "PuOr_r"  # not blue and vermilion: an increase is good on the diagonal, and bad elsewhere


def plot_confusion_difference(
    first: np.ndarray, second: np.ndarray, class_names: Sequence[str], title: str
) -> Figure:
    """Draw the confusion matrix of a second network minus that of a first; see `lay_out`.

    The confusions whose number of images changed most are listed below.

    Args:
        first: Images (true, predicted) of the first network, (K, K).
        second: The same for the second network, on the same images.
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    values = 100 * (shares_of(second) - shares_of(first))
    change = second - first
    limit = max(float(abs(values).max()), 1.0)
    # As for one matrix: the square root makes a change of one point visible beside one of fifty.
    norm = FuncNorm((_root, _square), -limit, limit)
    texts = Texts(
        f"{title}\nOrange: more often than before; violet: less often",
        "change in % of the true class",
        "Largest changes (true → predicted)",
        "with the largest changes",
        "No confusion changed",
    )
    lines = [
        _listed(confusion.true, confusion.predicted, first, second)
        for confusion in most_frequent_confusions(abs(change), NUM_LISTED)
    ]
    return lay_out(Matrix(values, abs(change), class_names, Colors(CMAP, norm)), lines, texts)


def _listed(true: int, predicted: int, first: np.ndarray, second: np.ndarray) -> Listed:
    before, after = int(first[true, predicted]), int(second[true, predicted])
    color = BAD if after > before else GOOD
    return Listed(true, predicted, abs(after - before), f"{before:,} → {after:,} images", color)


def _root(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _square(roots: np.ndarray) -> np.ndarray:
    return roots * np.abs(roots)
