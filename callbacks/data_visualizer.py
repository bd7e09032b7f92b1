"""Figures of the dataset: images per class, examples of each, and augmented training images."""

import contextlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.class_counts import count_images
from callbacks.figure_kind import FigureKind
from callbacks.plots import plot_augmentations, plot_class_counts, plot_class_samples
from callbacks.tracking import log_figure
from callbacks.trainer_parts import ImageData, data_of

MAX_CLASSES = 50  # rows of examples, as many as fit a page


@dataclass(eq=False)
class DataVisualizer(Callback):
    """Images per class, examples of each class, and training images with their augmentations.

    Attributes:
        num_examples: Training images of each class to show, the first ones.
        num_images: Training images to show with augmentations, spread over the classes.
        num_draws: Augmented versions of each image.
    """

    name: ClassVar[str] = "data"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("class_counts", "data"),
        FigureKind("class_samples", "data"),
        FigureKind("samples", "data"),
    )

    num_examples: int = 8
    num_images: int = 6
    num_draws: int = 5

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the figures before the first step."""
        if not trainer.is_global_zero:
            return
        self._count(trainer)
        self._show_examples(trainer)
        self._show_augmentations(trainer)

    def _count(self, trainer: Trainer) -> None:
        data = data_of(trainer)
        figure = plot_class_counts(count_images(data), data.class_names)
        log_figure(trainer, figure, "class_counts")

    def _show_examples(self, trainer: Trainer) -> None:
        data = data_of(trainer)
        chosen = _rows_by_class(data.sources["train"], self.num_examples)
        found = {label: _readable_images(data, rows) for label, rows in chosen.items()}
        images = {data.class_names[label]: np.stack(each) for label, each in found.items() if each}
        if images:
            figure = plot_class_samples(images, len(data.class_names))
            log_figure(trainer, figure, "class_samples")

    def _show_augmentations(self, trainer: Trainer) -> None:
        data = data_of(trainer)
        images, draws, labels = data.augmented(self.num_images, self.num_draws)
        names = [data.class_names[label] for label in labels]
        figure = plot_augmentations(
            images.movedim(1, -1).numpy(), draws.movedim(2, -1).numpy(), names
        )
        log_figure(trainer, figure, "samples")


def _rows_by_class(source: Any, number: int) -> dict[int, list[int]]:
    """The first images of each class, or of `MAX_CLASSES` evenly spread classes."""
    blocks = source.blocks()  # other shards than the first might have to be downloaded
    near = np.arange(len(source)) if blocks is None else np.flatnonzero(blocks == blocks[0])
    labels = source.labels[near]
    present = np.unique(labels)
    places = np.linspace(0, len(present) - 1, min(MAX_CLASSES, len(present))).round().astype(int)
    return {label: near[labels == label][:number].tolist() for label in present[places].tolist()}


def _readable_images(data: ImageData, rows: list[int]) -> list[np.ndarray]:
    """Training images (H, W, C); those that turn out to be broken are left out."""
    images = []
    for row in rows:
        with contextlib.suppress(ValueError):  # counted and reported when it is trained on
            images.append(data.images("train", [row])[0].movedim(0, -1).numpy())
    return images
