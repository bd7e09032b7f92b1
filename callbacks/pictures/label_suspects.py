"""Label suspects: images whose label is likely wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure

from callbacks.figure_kind import FigureKind
from callbacks.label_suspects import Suspects, copy_groups, find_suspects
from callbacks.pictures.allowance import BUDGET
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When
from callbacks.plots.drawing.texts import counted
from callbacks.plots.label_suspects import plot_label_suspects
from models import Backbone, ImageClassifier
from models.evaluation.label_errors import (
    FeatureRows,
    LeaveOneOut,
    gather_features,
    temperature_scaled,
)
from models.explain import NothingToShow

NUM_ROWS = 500  # of the table
FEWEST = 100  # training images for which heads are worth fitting
OWN = "the network's, corrected by a fitted temperature"  # whose probabilities
HEADS = "those of linear classifiers on features of the network, each fitted without the image"


@dataclass(eq=False)
class LabelSuspects(Picture):
    """Likely label errors: confident learning on validation and training images.

    Validation images are evaluated by the network, which was not trained on them; the outputs of
    the validation are reused. The network may have memorised wrong labels of training images. So
    these are evaluated by linear heads on the features of all its layers, each image by a head that
    was fitted without it. For a frozen backbone this is exact. For a trained one it finds fewer
    errors, since late layers may have memorised labels: of the digits with 5 % of the labels
    flipped, 98 % are found after 60 epochs, but a large network that fits every label hides more.
    `lightning_cli suspects` uses the network as it was built, which has memorised nothing.

    `label_fixes.csv` lists the likely errors with the suggested class. Check the lines, delete
    those whose label is correct, and pass the file as `data.options.label_fixes`. If another class
    is preferred for more than a quarter of the images, the network has probably learned too little:
    then title and table say so, no label counts as an error, and the file is not written.

    With several processes, the first one evaluates the training images while the others wait.

    Attributes:
        when: See `Picture`.
        num_images: Images in the figure.
        training: Evaluate training images too, which takes one pass over them.
        max_images: Most training images to evaluate, evenly chosen.
    """

    name: ClassVar[str] = "label_suspects"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("label_suspects", "data"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True
    costly: ClassVar[bool] = True

    when: When = "last"
    num_images: int = 20
    training: bool = True
    max_images: int = 5000

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        for name in ("num_images", "max_images"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"pictures.{self.name}.{name} is {value}; expected 1 or more.")

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        if context.data is None:
            raise NothingToShow("label errors can only be found with a datamodule.")
        suspects = _suspects_of_split(context)
        title, whose = f"Likely label errors, {context.title}", OWN
        if context.split == "val" and self.training and isinstance(context.model, ImageClassifier):
            size = min(len(context.data.sources["train"]), self.max_images)
            number = context.allowance.affordable(size, 1, 0)
            if number >= min(size, FEWEST):
                suspects += self._suspects_of_training(context, context.model.backbone, number)
                less = f" ({number:,} of {size:,} training images, limit: {BUDGET})"
                title += less * (number < size)
                whose = f"{OWN} (val); {HEADS} (train)"
            else:
                title += " (no training images, to keep to the budget)"
        yield self.name, draw_suspects(suspects, context.data, self.num_images, title, whose)
        yield self.name, suspects.ranking(context.class_names, NUM_ROWS)
        if suspects.believable:
            ending = "" if context.split == "val" else f"_{context.split}"
            yield f"label_fixes{ending}.csv", suspects.fixes(context.class_names)

    def _suspects_of_training(
        self, context: PictureContext, backbone: Backbone, number: int
    ) -> Suspects:
        """Training images, each evaluated by a linear head that was fitted without it."""
        size = len(context.data.sources["train"])
        chosen = np.linspace(0, size - 1, number).round().astype(int).tolist()
        batches = context.data.plain_batches("train", chosen)
        features, labels, positions = gather_features(backbone, batches)
        indices = {"train": positions}
        copies = copy_groups(context.data.sources, indices)
        rows = FeatureRows([features])
        probabilities = LeaveOneOut(rows, labels, len(context.class_names), copies)
        return find_suspects(context.data.sources, indices, labels, probabilities)


def draw_suspects(suspects: Suspects, data: Any, num_images: int, title: str, whose: str) -> Figure:
    """Draw the images whose labels are most likely wrong, with the suggested classes.

    Args:
        suspects: All images that were evaluated.
        data: The datamodule that the images come from.
        num_images: Number of images to show.
        title: Title of the figure, to which the counts are appended.
        whose: Whose probabilities these are.
    """
    errors, names = suspects.errors, data.class_names
    rows = errors.order()[:num_images]
    places = [(str(suspects.splits[row]), suspects.indices[row]) for row in rows.tolist()]
    counts = f"{int(suspects.likely.sum()):,} of {counted(len(suspects.names), 'image')}"
    found = f"{counts} (orange captions){f'; {suspects.note}' * bool(suspects.note)}"
    found = found if suspects.believable else f"none, {suspects.doubt}"
    pictures = torch.stack([data.images(split, [index])[0] for split, index in places])
    return plot_label_suspects(
        pictures.movedim(1, -1).numpy(),
        [names[label] for label in suspects.labels[rows].tolist()],
        [names[label] for label in errors.suggested[rows].tolist()],
        torch.stack([errors.label_probability, errors.suggested_probability], dim=1)[rows].numpy(),
        suspects.likely[rows].tolist(),
        [suspects.shown_split or split for split, _ in places],
        f"{title}: {found}",
        whose,
    )


def _suspects_of_split(context: PictureContext) -> Suspects:
    """Images of the split, on which the network was not trained, evaluated by the network."""
    predictions = context.labelled_predictions
    labels, indices = predictions.labels, {context.split: predictions.indices}
    probabilities = temperature_scaled(predictions.logits, labels)
    return find_suspects(context.data.sources, indices, labels, probabilities)
