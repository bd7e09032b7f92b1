"""Figures of two runs that are compared."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.plots import plot_changes, plot_class_differences, plot_confusion_difference
from callbacks.plots.changes import Change
from callbacks.plots.drawing.texts import counted, shorten
from lightning_app.commands.compare.comparison import Comparison
from lightning_app.commands.compare.pairs import Pair

NAME_LENGTH = 24  # of a run in a title, which has two


def shown_images(comparison: Comparison, num_images: int) -> list[str]:
    """Names of the images on the contact sheets, each once."""
    sheets = [
        sheet[:num_images] for pair in comparison.pairs for sheet in (pair.fixed, pair.broken)
    ]
    rows = dict.fromkeys(row for sheet in sheets for row in sheet)
    return [comparison.predictions.images[row] for row in rows]


def plot_pair(
    comparison: Comparison, pair: Pair, images: Mapping[str, Tensor], num_images: int
) -> dict[str, Figure]:
    """Plot a pair of runs; contact sheets that would be empty are left out.

    Args:
        comparison: The comparison.
        pair: One of its pairs.
        images: Pixels by the names of the images; empty if they cannot be read.
        num_images: Number of images on a contact sheet.
    """
    before, after = (
        shorten(comparison.names[row], NAME_LENGTH) for row in (pair.first, pair.second)
    )
    count = counted(len(comparison.predictions.images), f"{comparison.split} image")
    title = f"From {before} to {after}\n{count}"
    first, second = pair.confusions
    figures = {
        "classes": plot_class_differences(_columns(pair), [c.name for c in pair.classes], title),
        "confusion": plot_confusion_difference(first, second, comparison.class_names, title),
    }
    for name in ("fixed", "broken") if images else ():
        rows = getattr(pair, name)
        if shown := rows[:num_images]:
            head = f"{name.capitalize()}: {len(rows):,} of {count}\n{before} → {after}"
            pixels = torch.stack([images[comparison.predictions.images[row]] for row in shown])
            figures[name] = plot_changes(
                pixels.movedim(1, -1).numpy(),
                _changes(comparison, pair, shown),
                f"{head}\nbelow each image: its label and both predictions",
            )
    return figures


def _columns(pair: Pair) -> dict[str, np.ndarray]:
    tests = [change.test for change in pair.classes]
    ends = {
        name: np.array([getattr(test, name) for test in tests])
        for name in ("difference", "low", "high")
    }
    return {**ends, "support": np.array([change.images for change in pair.classes])}


def _changes(comparison: Comparison, pair: Pair, rows: Sequence[int]) -> list[Change]:
    predictions = comparison.predictions
    return [
        Change(
            predictions.labels[row],
            predictions.predicted[pair.first, row],
            predictions.confidence[pair.first, row],
            predictions.predicted[pair.second, row],
            predictions.confidence[pair.second, row],
        )
        for row in rows
    ]
