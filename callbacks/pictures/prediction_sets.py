"""Prediction sets: how often they have the true class, and how large they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.stats import binom
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table
from callbacks.plots.drawing.texts import counted
from callbacks.plots.prediction_sets import Coverage, plot_prediction_sets
from models.evaluation.calibration import risk_coverage
from models.evaluation.prediction_sets import (
    LEVEL,
    LEVELS,
    SetCounts,
    fit_set_thresholds,
    halves,
)
from models.evaluation.predictions import Predictions
from models.evaluation.wilson import wilson
from models.explain import NothingToShow

MIN_IMAGES = 20  # of each half of a validation
SELECTED = (0.8, 0.9, 0.95, 1.0)  # shares of the most confident images
AT, BY_CLASS = LEVELS.index(LEVEL), len(LEVELS)  # rows of `SetCounts`


@dataclass(eq=False)
class PredictionSets(Picture):
    """Prediction sets: coverage against level, and sizes at 90 %; the most confident images.

    The test has the sets whose thresholds are in the checkpoint. Of a validation, each half has
    those that were fitted on the other half. At the end, these metrics are logged: `set_coverage`
    and `set_size` at 90 %, `accuracy_at_80`, `accuracy_at_90` and `accuracy_at_95` (accuracy of
    these shares of the images, the most confident ones).

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "prediction_sets"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("prediction_sets", "errors", "Mistakes"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        predictions = _of_trained_classes(context)
        sets = _sets(context, predictions)
        found = _coverage(predictions, sets)
        title = (
            f"Prediction sets, {context.title}: {counted(len(predictions), 'image')}\n"
            f"at {100 * LEVEL:.0f} %, {100 * found.covered[AT]:.1f} % of the sets have the true "
            f"class; mean size {found.mean_sizes[AT]:.2f}"
        )
        yield self.name, plot_prediction_sets(found, title)
        if context.final:
            yield "set_coverage", float(found.covered[AT])
            yield "set_size", float(found.mean_sizes[AT])
            selective = selective_table(predictions)
            for share, accuracy in zip(SELECTED[:-1], selective["accuracy"], strict=False):
                yield f"accuracy_at_{100 * share:.0f}", accuracy
            yield "selective_accuracy", selective
            yield self.name, _by_class(predictions, sets, context.class_names)

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        predictions = _of_trained_classes(context)
        yield "selective_accuracy", selective_table(predictions)
        yield self.name, _by_class(predictions, _sets(context, predictions), context.class_names)


def selective_table(predictions: Predictions) -> Table:
    """Accuracy of the most confident images, for each of `SELECTED`, with 95 % intervals.

    Args:
        predictions: Those of N labelled images.
    """
    risk = risk_coverage(predictions.confidence, predictions.correct)
    confidence = predictions.confidence.sort(descending=True).values
    kept = [max(1, round(share * len(risk))) for share in SELECTED]
    accuracies = [1 - float(risk[number - 1]) for number in kept]
    ends = [wilson(accuracy, number) for accuracy, number in zip(accuracies, kept, strict=True)]
    return {
        "coverage": list(SELECTED),
        "images": kept,
        "accuracy": accuracies,
        "low": [low for low, _ in ends],
        "high": [high for _, high in ends],
        "confidence": [float(confidence[number - 1]) for number in kept],
    }


def _of_trained_classes(context: PictureContext) -> Predictions:
    """Predictions for labelled images, but not of classes that were left out of the training."""
    found = context.labelled_predictions
    excluded = getattr(getattr(context.data, "options", None), "exclude_classes", [])
    numbers = [list(context.class_names).index(name) for name in excluded]
    kept = ~torch.isin(found.labels, torch.tensor(numbers, dtype=found.labels.dtype))
    if not kept.any():
        raise NothingToShow("no image is of a class that was trained.")
    return Predictions(found.logits[kept], found.labels[kept], found.indices[kept])


def _sets(context: PictureContext, predictions: Predictions) -> SetCounts:
    """What the sets of the images are."""
    if context.split == "val":
        if len(predictions) < 2 * MIN_IMAGES:
            raise NothingToShow(
                f"{2 * MIN_IMAGES} labelled validation images are needed to judge prediction sets, "
                f"there are {len(predictions)}; data.split.val sets their number."
            )
        return _of_halves(predictions)
    uncertainty = getattr(context.model, "uncertainty", None)
    if uncertainty is None:
        raise NothingToShow("the checkpoint has no prediction sets: an earlier version wrote it.")
    return uncertainty.sets.counts(predictions.logits, predictions.labels)


def _of_halves(predictions: Predictions) -> SetCounts:
    """Sets of each half of the images, with thresholds that were fitted on the other half."""
    logits, labels = predictions.logits, predictions.labels
    first, second = halves(labels)
    parts = [
        fit_set_thresholds(logits[own], labels[own]).counts(logits[other], labels[other])
        for own, other in ((second, first), (first, second))
    ]
    back = torch.cat([first, second]).argsort()
    return SetCounts(*(torch.cat(part, dim=1)[:, back] for part in zip(*parts, strict=True)))


def _coverage(predictions: Predictions, sets: SetCounts) -> Coverage:
    number = len(predictions)
    low, high = binom.interval(0.95, number, np.array(LEVELS))
    return Coverage(
        np.array(LEVELS),
        sets.hits[:-1].double().mean(dim=1).numpy(),
        low / number,
        high / number,
        sets.sizes[:-1].double().mean(dim=1).numpy(),
        float(predictions.correct.double().mean()),
        sets.sizes[AT].numpy(),
        LEVEL,
    )


def _by_class(predictions: Predictions, sets: SetCounts, class_names: Sequence[str]) -> Table:
    """Coverage and mean size for each class, and for all, of both kinds of thresholds."""
    labels, number = predictions.labels, len(class_names)

    def means(values: Tensor) -> list[float]:
        sums = labels.bincount(values.double(), minlength=number)
        return [*(sums / counts).tolist(), float(values.double().mean())]

    counts = labels.bincount(minlength=number)
    table: Table = {"class": [*class_names, "all"], "images": [*counts.tolist(), len(labels)]}
    for kind, row in (("", AT), ("_by_class", BY_CLASS)):
        covered = means(sets.hits[row])
        ends = [
            wilson(share, number) if number else (np.nan, np.nan)
            for share, number in zip(covered, table["images"], strict=True)
        ]
        table |= {
            f"coverage{kind}": covered,
            f"coverage{kind}_low": [low for low, _ in ends],
            f"coverage{kind}_high": [high for _, high in ends],
            f"size{kind}": means(sets.sizes[row]),
        }
    return table
