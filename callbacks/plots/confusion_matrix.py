"""Confusion matrices that can be read from 2 to 100 classes and beyond."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from callbacks.plots.sheet import DPI, shorten

MAX_ANNOTATED = 25  # classes beyond which numbers in the cells could not be read
MAX_NAMED = 120  # classes beyond which not every row can have its name


def plot_confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], title: str, normalize: bool
) -> Figure:
    """Draw a heat map, rows the true classes and columns the predicted ones.

    Args:
        counts: Images, (K, K).
        class_names: Names of the K classes.
        title: What was counted.
        normalize: Show percent of each true class instead of counts; a class without images
            has a row of zeros.
    """
    num_classes = len(class_names)
    inches = float(np.clip(3.2 + 0.42 * num_classes, 5.5, 9 if num_classes <= 25 else 13))
    figure = Figure(figsize=(inches + 0.8, inches), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    values = counts
    if normalize:
        values = 100 * counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    annotated = num_classes <= MAX_ANNOTATED
    step = -(-num_classes // MAX_NAMED)
    font = float(np.clip(0.62 * 72 * (inches - 1.6) / num_classes, 4, 9))
    sns.heatmap(
        values,
        ax=axes,
        square=True,
        cmap="Blues",
        # The square root shows an error of one percent, which a linear scale would not.
        norm=PowerNorm(0.5, 0, 100 if normalize else max(float(counts.max()), 1.0)),
        annot=_annotations(values) if annotated else False,
        fmt="",
        annot_kws={"fontsize": min(9.0, font)},
        linewidths=0.5 if annotated else 0,
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"label": "% of the true class" if normalize else "images", "shrink": 0.75},
    )
    names = [shorten(name, 22) for name in class_names[::step]]
    ticks = 0.5 + step * np.arange(len(names))
    long = max(map(len, names)) * font * 0.6 > 72 * (inches - 1.6) / len(names)
    axes.set_xticks(ticks, names, rotation=90 if long else 0, fontsize=font)
    axes.set_yticks(ticks, names, rotation=0, fontsize=font)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=11)
    return figure


def _annotations(values: np.ndarray) -> np.ndarray:
    """Numbers for the cells; none in empty ones, so that the errors stand out."""
    return np.vectorize(lambda value: f"{value:.0f}" if value >= 0.5 else "")(values)
