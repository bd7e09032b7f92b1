"""Groups: accuracy and calibration of the images that a column of the table tells apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from lightning.pytorch.utilities import rank_zero_info
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table, When
from callbacks.plots.drawing.texts import counted
from callbacks.plots.groups import plot_groups, sentence
from callbacks.trainer_parts import ImageData
from models.evaluation.groupings import Grouping, group_values
from models.evaluation.groups import FEWEST, GroupScore, group_scores, worse_groups
from models.evaluation.predictions import Predictions


@dataclass(eq=False)
class Groups(Picture):
    """Groups: every further column of a manifest, such as the camera or the site.

    Columns with a few values are groups, numbers are divided into ranges of equally many images.
    The network is called worse for a group if its accuracy is five points or more below that of
    the rest, and not by chance (Fisher's exact test, adjusted by Holm for all groups of all
    columns). The table `groups` has accuracies with their intervals (Wilson), confidence and
    calibration error; the metric `worst_group_accuracy` is the lowest accuracy of ten images or
    more (Sagawa et al., 2020). Without further columns nothing is shown.

    Attributes:
        when: See `Picture`.
        columns: Columns to group by; None for all that have groups.
        num_ranges: Ranges of a number, at most.

    Raises:
        ValueError: If `num_ranges` is below 2.
    """

    name: ClassVar[str] = "groups"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("groups", "errors"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    when: When = "last"
    columns: list[str] | None = None
    num_ranges: int = 4

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_ranges < 2:
            raise ValueError(
                f"pictures.groups.num_ranges is {self.num_ranges}; expected 2 or more."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        if self.columns is None:
            return
        known = list(data.sources["val"].columns)
        if unknown := [name for name in self.columns if name not in known]:
            raise ValueError(
                f"pictures.groups.columns names {unknown[0]!r}; the further columns are "
                f"{', '.join(known) or 'none'}."
            )

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        scores = self._scores(context)
        if scores:
            predictions = context.labelled_predictions
            title = f"Groups, {context.title}: {counted(len(predictions), 'image')}"
            overall = float(predictions.correct.double().mean())
            yield self.name, plot_groups(scores, overall, title)
            yield from _results(scores)

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        if scores := self._scores(context):
            yield from _results(scores)

    def _scores(self, context: PictureContext) -> list[GroupScore]:
        groupings, others = groupings_of(context, self.num_ranges, self.columns)
        if not groupings and not others:
            return []
        scores = group_scores(groupings, context.labelled_predictions)
        left_out = [f"{name} {reason}" for name, reason in others.items()]
        said = [sentence(score) for score in worse_groups(scores)]
        tested = sum(not np.isnan(score.p_value) for score in scores)
        if tested and not said:
            said = [f"none of {tested} is worse by more than chance ({', '.join(groupings)})"]
        if small := len(scores) - tested:
            said.append(f"{counted(small, 'group')} too small to test: {FEWEST} images are needed")
        for line in said + [f"not used: {'; '.join(left_out)}"] * bool(left_out):
            rank_zero_info(f"Groups      {line}")
        return scores


def groupings_of(
    context: PictureContext,
    num_ranges: int,
    columns: Sequence[str] | None = None,
    predictions: Predictions | None = None,
) -> tuple[dict[str, Grouping], dict[str, str]]:
    """Groups of the labelled images by further columns, and why other columns have none.

    Args:
        context: See `Picture`.
        num_ranges: Ranges of a number, at most.
        columns: Columns to group by; None for all.
        predictions: Those of the images to group; None for all labelled ones.
    """
    source = context.data.sources[context.split] if context.data else None
    found: dict[str, Grouping | str] = {}
    for name, texts in getattr(source, "columns", {}).items():
        if columns is None or name in columns:
            predictions = predictions or context.labelled_predictions
            values = texts[predictions.indices.numpy()].tolist()
            found[name] = group_values(values, predictions.labels.numpy(), num_ranges)
    return (
        {name: each for name, each in found.items() if isinstance(each, Grouping)},
        {name: each for name, each in found.items() if isinstance(each, str)},
    )


def _results(scores: Sequence[GroupScore]) -> Iterator[PictureOutput]:
    large = [score.accuracy for score in scores if score.images >= FEWEST]
    if large:
        yield "worst_group_accuracy", min(large)
    yield "groups", _table(scores)


def _table(scores: Sequence[GroupScore]) -> Table:
    return {
        "column": [score.column for score in scores],
        "group": [score.group for score in scores],
        "images": [score.images for score in scores],
        "correct": [score.correct for score in scores],
        "accuracy": [score.accuracy for score in scores],
        "low": [score.low for score in scores],
        "high": [score.high for score in scores],
        "accuracy of the rest": [score.rest for score in scores],
        "of the rest, with its classes": [_known(score.expected) for score in scores],
        "p-value (Holm)": [_known(score.p_value) for score in scores],
        "confidence": [score.confidence for score in scores],
        "ece": [score.calibration_error for score in scores],
        "ece by chance": [score.chance_error for score in scores],
        "worse": [score.is_worse for score in scores],
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
