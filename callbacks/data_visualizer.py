"""Figures of the dataset: images per class, and augmented training images."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.figure_kind import FigureKind
from callbacks.plots import plot_augmentations, plot_class_counts
from callbacks.tracking import log_figure
from callbacks.trainer_parts import data_of


@dataclass(eq=False)
class DataVisualizer(Callback):
    """Images per class, and training images with their augmentations.

    Attributes:
        num_images: Training images to show, spread over the classes.
        num_draws: Augmented versions of each image.
    """

    name: ClassVar[str] = "data"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("class_counts", "data"),
        FigureKind("samples", "data"),
    )

    num_images: int = 6
    num_draws: int = 5

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw both before the first step."""
        if not trainer.is_global_zero:
            return
        data = data_of(trainer)
        counts = {
            split: np.bincount(source.labels, minlength=len(data.class_names))
            for split, source in data.sources.items()
            if (source.labels >= 0).all()  # images to predict have no labels
        }
        log_figure(trainer, plot_class_counts(counts, data.class_names), "class_counts")
        images, draws, labels = data.augmented(self.num_images, self.num_draws)
        names = [data.class_names[label] for label in labels]
        figure = plot_augmentations(
            images.movedim(1, -1).numpy(), draws.movedim(2, -1).numpy(), names
        )
        log_figure(trainer, figure, "samples")
