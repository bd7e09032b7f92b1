"""Contact sheets of pictures whose labels are probably wrong."""

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
    confident: Sequence[bool],
    splits: Sequence[str],
    title: str,
) -> Figure:
    """Each picture above its label and the one that it should rather have.

    Args:
        images: In [0, 1], (N, H, W, C), the most suspicious first.
        given: Label of each.
        suggested: The class that it rather belongs to.
        probabilities: Of both, (N, 2).
        confident: Whether it is taken for the suggested class with confidence.
        splits: Where each is.
        title: What the sheet shows.
    """
    captions = [
        f"{label}\n→ {other}\n{100 * low:.0f} → {100 * high:.0f} % {split}"
        for label, other, (low, high), split in zip(
            given, suggested, probabilities, splits, strict=True
        )
    ]
    colors = [BAD if is_sure else NEUTRAL for is_sure in confident]
    title += "\nbelow each: its label → the other class, how probable both are, and its split"
    return plot_contact_sheet(images, captions, math.ceil(len(images) ** 0.5), title, colors)
