"""Labels that are probably wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure

from callbacks.pictures.picture import Picture, Scene, Shown, When
from callbacks.plots.drawing.texts import counted
from callbacks.plots.label_suspects import plot_label_suspects
from callbacks.suspects import Suspects, copy_groups, find_suspects
from models import Backbone, ImageClassifier
from models.evaluation.label_errors import (
    gather_features,
    leave_one_out_probabilities,
    temperature_scaled,
)
from models.explain import NothingToShow

NUM_ROWS = 500  # of the table


@dataclass(eq=False)
class LabelSuspects(Picture):
    """Which labels are probably wrong: confident learning on validation and training images.

    Validation images are judged by the network, which has not learned from them, in the pass that
    was made anyway. The network has learned the labels of the training images, right or wrong, so
    these are judged by linear heads on the features of all its layers, each image by a head that
    was fitted without it. That is exact where the backbone was frozen. Where it was trained, its
    early layers have learned least of single labels; what its late ones have learned by heart is
    not found: of the digits with 5 % of the labels flipped, 98 % are found after 60 epochs, but
    a large network that fits every label hides more. `lightning_cli suspects` starts from the
    network as it was built and has no such blind spot.

    `label_fixes.csv` lists the images that are taken for another class with confidence. A person
    deletes the lines that are no mistakes; `data.options.label_fixes` takes the rest. Where the
    network has learned too little to judge, so that it doubts a quarter of the labels, the title
    says so and there is no such file.

    Under several processes the first one judges the training images while the others wait.

    Attributes:
        when: See `Picture`.
        num_images: Pictures in the sheet.
        training: Whether to judge training images too: it takes one pass over them.
        max_images: Judge at most so many training images, evenly chosen.
    """

    name: ClassVar[str] = "label_suspects"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True

    when: When = "last"
    num_images: int = 20
    training: bool = True
    max_images: int = 5000

    def __post_init__(self) -> None:
        """Refuse numbers of images that are none."""
        super().__post_init__()
        for name in ("num_images", "max_images"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"pictures.{self.name}.{name} is {value}; expected 1 or more.")

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        if scene.data is None:
            raise NothingToShow("labels are judged only where a datamodule gives them.")
        suspects = _suspects_of_split(scene)
        if scene.split == "val" and self.training and isinstance(scene.model, ImageClassifier):
            suspects += self._suspects_of_training(scene, scene.model.backbone)
        title = f"labels to look at, {scene.title}"
        yield self.name, draw_suspects(suspects, scene.data, self.num_images, title)
        yield self.name, suspects.ranking(scene.class_names, NUM_ROWS)
        if suspects.believable:
            ending = "" if scene.split == "val" else f"_{scene.split}"
            yield f"label_fixes{ending}.csv", suspects.fixes(scene.class_names)

    def _suspects_of_training(self, scene: Scene, backbone: Backbone) -> Suspects:
        """Training images, each evaluated by a linear head that was fitted without it."""
        size = len(scene.data.sources["train"])
        chosen = np.linspace(0, size - 1, min(size, self.max_images)).round().astype(int).tolist()
        batches = scene.data.plain_batches("train", chosen)
        features, labels, positions = gather_features(backbone, batches)
        indices = {"train": positions}
        copies = copy_groups(scene.data.sources, indices)
        probabilities = leave_one_out_probabilities(
            features, labels, len(scene.class_names), copies
        )
        return find_suspects(scene.data.sources, indices, labels, probabilities)


def draw_suspects(suspects: Suspects, data: Any, num_images: int, title: str) -> Figure:
    """The most suspicious images, with what speaks against their labels.

    Args:
        suspects: What was found.
        data: The datamodule that the images come from.
        num_images: How many to show.
        title: When and of what.
    """
    errors, names = suspects.errors, data.class_names
    rows = errors.order()[:num_images]
    places = [(str(suspects.splits[row]), suspects.indices[row]) for row in rows.tolist()]
    counts = f"{int(errors.likely.sum()):,} of {counted(len(suspects.names), 'image')}"
    doubt = "" if suspects.believable else f": {suspects.doubt}"
    pictures = torch.stack([data.images(split, [index])[0] for split, index in places])
    return plot_label_suspects(
        pictures.movedim(1, -1).numpy(),
        [names[label] for label in suspects.labels[rows].tolist()],
        [names[label] for label in errors.suggested[rows].tolist()],
        torch.stack([errors.label_probability, errors.suggested_probability], dim=1)[rows].numpy(),
        errors.likely[rows].tolist(),
        [split for split, _ in places],
        f"{title}\n{counts} seem to be of another class (red){doubt}",
    )


def _suspects_of_split(scene: Scene) -> Suspects:
    """Images of the split, on which the network was not trained, evaluated by the network."""
    predictions = scene.labelled_predictions
    labels, indices = predictions.labels, {scene.split: predictions.indices}
    probabilities = temperature_scaled(predictions.logits, labels)
    return find_suspects(scene.data.sources, indices, labels, probabilities)
