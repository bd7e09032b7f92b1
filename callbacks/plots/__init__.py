"""Plots: plain functions from arrays to a `matplotlib.figure.Figure`."""

from callbacks.plots.activation_maximisation import plot_maximised
from callbacks.plots.augmentations import plot_augmentations
from callbacks.plots.changes import plot_changes
from callbacks.plots.class_activation import plot_overlays
from callbacks.plots.class_counts import plot_class_counts, plot_class_counts_twice
from callbacks.plots.class_differences import plot_class_differences
from callbacks.plots.class_samples import plot_class_samples
from callbacks.plots.confusion.difference import plot_confusion_difference
from callbacks.plots.confusion.matrix import plot_confusion_matrix
from callbacks.plots.confusion.numbers import plot_confusion_numbers
from callbacks.plots.curves import plot_curves
from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.style import BAD, GOOD
from callbacks.plots.feature_maps import plot_feature_maps
from callbacks.plots.filters import plot_filters
from callbacks.plots.learning_rate_finder import plot_learning_rates
from callbacks.plots.mistakes import plot_mistakes
from callbacks.plots.per_class import plot_class_scores
from callbacks.plots.unfreezing import plot_unfreezing

__all__ = [
    "BAD",
    "GOOD",
    "plot_augmentations",
    "plot_changes",
    "plot_class_counts",
    "plot_class_counts_twice",
    "plot_class_differences",
    "plot_class_samples",
    "plot_class_scores",
    "plot_confusion_difference",
    "plot_confusion_matrix",
    "plot_confusion_numbers",
    "plot_contact_sheet",
    "plot_curves",
    "plot_feature_maps",
    "plot_filters",
    "plot_learning_rates",
    "plot_maximised",
    "plot_mistakes",
    "plot_overlays",
    "plot_unfreezing",
]
