"""Hidden groups: similar images that the network fails on, and that no column names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from matplotlib.figure import Figure
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.groups import groupings_of
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When
from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.style import BAD, GOOD
from callbacks.plots.drawing.texts import shorten
from models.evaluation.groupings import Grouping
from models.evaluation.hidden_groups import HiddenGroup, hidden_groups
from models.evaluation.image_properties import image_properties, property_groupings
from models.evaluation.predictions import Predictions
from models.evaluation.shared_properties import Shared, shared_properties

COLUMNS, NUM_IMAGES = 8, 16  # of a sheet
CHUNK = 64  # images that are read at once
NAME_LENGTH, NUM_RANGES, MOST_SHARED = 18, 4, 3


@dataclass(eq=False)
class HiddenGroups(Picture):
    """Hidden groups: clusters in features whose accuracy is far below that of the same classes.

    Half of the images propose clusters (k-means), the other half tests them, so that nothing is
    claimed where nothing is. A sheet of each group shows its images, and says what they share:
    values of the table's columns, brightness, contrast, colourfulness, fine detail, the class. The
    table `hidden_groups` names the images.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "hidden_groups"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("hidden_groups", "errors"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    when: When = "last"

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        predictions, features = _sampled(context)
        found = hidden_groups(features, predictions.correct, predictions.labels)
        if not found:
            rank_zero_info(f"Hidden groups: none is found among {len(predictions):,} images")
            return
        groupings = _groupings(context, predictions)
        texts = [_sentences(group, groupings, len(predictions)) for group in found]
        for number, (group, lines) in enumerate(zip(found, texts, strict=True), 1):
            rank_zero_info(f"Hidden group {number}: {' '.join(lines)}")
            title = "\n".join([f"Hidden group {number}, {context.title}: {lines[0]}", *lines[1:]])
            yield f"{self.name}/{number}", _sheet(context, predictions, group, title)
        names = context.data.sources[context.split].names
        rows = [(number, row) for number, group in enumerate(found, 1) for row in group.rows]
        yield (
            self.name,
            {
                "group": [number for number, _ in rows],
                "image": [names[int(predictions.indices[row])] for _, row in rows],
                "correct": [bool(predictions.correct[row]) for _, row in rows],
                "said": [" ".join(texts[number - 1]) for number, _ in rows],
            },
        )


def _sampled(context: PictureContext) -> tuple[Predictions, Tensor]:
    """Predictions and features of the labelled images whose features are known."""
    sampled = context.outputs.features if context.outputs else None
    if sampled is None or context.data is None:
        return Predictions(torch.empty(0, 2), torch.empty(0).long(), torch.empty(0).long()), (
            torch.empty(0, 1)
        )
    every = context.predictions
    known = every.labels[sampled.rows] >= 0
    rows = sampled.rows[known]
    found = Predictions(every.logits[rows], every.labels[rows], every.indices[rows])
    return found, sampled.values[known]


def _groupings(context: PictureContext, predictions: Predictions) -> dict[str, Grouping]:
    """What images may share: values of columns, properties of the pixels, label and prediction."""
    columns, _ = groupings_of(context, NUM_RANGES, predictions=predictions)
    parts = predictions.indices.split(CHUNK)
    pixels = torch.cat([image_properties(context.read(part.tolist())) for part in parts])
    names = list(context.class_names)
    return {
        **columns,
        **property_groupings(pixels),
        "class": Grouping(names, predictions.labels.numpy()),
        "prediction": Grouping(names, predictions.predicted.numpy()),
    }


def _sentences(group: HiddenGroup, groupings: dict[str, Grouping], num_images: int) -> list[str]:
    """How bad a group is, and what its images share."""
    low, high = (f"{100 * end:.0f}" for end in (group.low, group.high))
    member = np.zeros(num_images, bool)
    member[group.rows.numpy()] = True
    shared = shared_properties(member, groupings, MOST_SHARED)
    lines = [
        f"{len(group.rows)} similar images. Of the {group.images} that test the group, "
        f"{group.correct} are correct: {100 * group.accuracy:.0f} % ({low} to {high}), against "
        f"{100 * group.expected:.0f} % of others of the same classes."
    ]
    return lines + ([*map(_shared_sentence, shared)] or ["They share no known property."])


def _shared_sentence(shared: Shared) -> str:
    sign = "" if shared.is_range else "= "
    return (
        f"{shared.images} of {shared.known} have {shared.column} {sign}{shared.group}, "
        f"{100 * shared.share:.0f} % of all images."
    )


def _sheet(
    context: PictureContext, predictions: Predictions, group: HiddenGroup, title: str
) -> Figure:
    rows = group.rows[:NUM_IMAGES]
    images = context.read(predictions.indices[rows].tolist())
    names: Sequence[str] = [shorten(name, NAME_LENGTH) for name in context.class_names]
    pairs = [(int(predictions.labels[row]), int(predictions.predicted[row])) for row in rows]
    captions = [names[p] if p == true else f"{names[p]}\nnot {names[true]}" for true, p in pairs]
    colors = [GOOD if label == predicted else BAD for label, predicted in pairs]
    tiles = images.movedim(1, -1).numpy()
    return plot_contact_sheet(tiles, captions, min(COLUMNS, len(tiles)), title, colors)
