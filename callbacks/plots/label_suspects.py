"""Label suspects: a contact sheet of images whose labels are likely wrong."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.style import BAD, NEUTRAL


def plot_label_suspects(
    images: np.ndarray,
    given: Sequence[str],
    suggested: Sequence[str],
    probabilities: np.ndarray,
    likely: Sequence[bool],
    splits: Sequence[str],
    title: str,
    whose: str,
) -> Figure:
    """Draw images with their label and the suggested class.

    Args:
        images: In [0, 1], (N, H, W, C), the most suspicious first.
        given: Label of each image.
        suggested: Suggested class of each image.
        probabilities: Probabilities of the label and the suggested class, in [0, 1], (N, 2).
        likely: Whether the label is a likely error.
        splits: Split of each image.
        title: Title of the figure.
        whose: Whose probabilities these are.
    """
    captions = [
        f"label {label}: {100 * low:.0f} %\n→ {other}: {100 * high:.0f} %\n{split}"
        for label, other, (low, high), split in zip(
            given, suggested, probabilities, splits, strict=True
        )
    ]
    colors = [BAD if is_error else NEUTRAL for is_error in likely]
    title += "\nBelow each image: label, → suggested class, and their probabilities; split"
    title += f"\nProbabilities: {whose}"
    return plot_contact_sheet(images, captions, math.ceil(len(images) ** 0.5), title, colors)
