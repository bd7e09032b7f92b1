"""Class counts: images of each class in each split."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import DPI, SPLIT_COLORS
from callbacks.plots.drawing.texts import shorten

ROW_INCHES = 0.24
MAX_LABELLED = 40  # classes whose number of images is written beside their bar
MAX_NAMED = 120  # of more classes the names would be too small to read


def plot_class_counts(counts: Mapping[str, np.ndarray], class_names: Sequence[str]) -> Figure:
    """Draw one stacked bar per class, and its images in all splits as a number.

    Args:
        counts: Images of each class, (K,), by split.
        class_names: Names of the K classes.
    """
    num_classes = len(class_names)
    row = ROW_INCHES if num_classes <= MAX_LABELLED else min(0.13, 15 / num_classes)
    figure = Figure(figsize=(6.4, max(3.4, row * num_classes + 1.3)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    left = np.zeros(num_classes)
    for split, color in SPLIT_COLORS.items():
        if split not in counts:
            continue
        values, label = counts[split], f"{split}: {counts[split].sum():,}"
        axes.barh(np.arange(num_classes), values, left=left, color=color, label=label)
        left += values
    if num_classes <= MAX_LABELLED:
        for place, number in enumerate(left.astype(int)):
            axes.text(number, place, f" {number:,}", va="center", fontsize=7)
        axes.margins(x=0.1)
    names = [shorten(name, 28) for name in class_names]
    if num_classes <= MAX_NAMED:
        font = 9 if num_classes <= MAX_LABELLED else 6
        axes.set_yticks(np.arange(num_classes), names, fontsize=font)
    axes.set_ylim(num_classes - 0.4, -0.6)
    axes.set_xlabel("images")
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Images of each class, {num_classes} classes", fontsize=11)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=9)
    return figure
