"""What one network confuses more, or less, than another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import FuncNorm
from matplotlib.figure import Figure

from callbacks.plots.confusion.layout import NUM_LISTED, Matrix, Texts, lay_out
from callbacks.plots.confusion.order import most_frequent_confusions, shares_of
from callbacks.plots.confusion.panels import Colors, Listed
from callbacks.plots.drawing.style import BAD, GOOD

CMAP = "PuOr_r"  # not blue and vermilion: more is good on the diagonal, and bad beside it


def plot_confusion_difference(
    first: np.ndarray, second: np.ndarray, class_names: Sequence[str], title: str
) -> Figure:
    """Draw the confusion matrix of a second network less that of a first; see `lay_out`.

    The confusions that changed by the most images are listed beneath.

    Args:
        first: Images (true, predicted), (K, K).
        second: The same of the other network, on the same images.
        class_names: Names of the K classes.
        title: Which networks these are, and of what images.
    """
    values = 100 * (shares_of(second) - shares_of(first))
    change = second - first
    limit = max(float(abs(values).max()), 1.0)
    # As of one matrix: the square root shows a change of one point beside one of fifty.
    norm = FuncNorm((_root, _square), -limit, limit)
    texts = Texts(
        f"{title}\norange: more often than before, violet: less often",
        "percentage points of the class's images",
        "confusions that changed most (true → predicted)",
        "whose confusions changed most",
        "no confusion changed",
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
