"""Draw a picture of the same validation images every few epochs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities import rank_zero_warn
from matplotlib.figure import Figure

from callbacks.run import classifier_of, data_of
from callbacks.tracking import log_figure, log_step_figure
from models import ImageClassifier
from models.explain import NothingToShow


@dataclass(eq=False)
class Visualizer(Callback, ABC):
    """Base of the callbacks that show what the network sees; a subclass only draws.

    In a fit the picture goes into the image grid as `val/<name>`, at its epoch; from `validate`
    it becomes `figures/<name>.png`. Drawing changes nothing of the model, and draws nothing from
    the random numbers of the training.

    Attributes:
        every_n_epochs: Draw after every n-th epoch of a fit.
    """

    name: ClassVar[str]

    every_n_epochs: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be scheduled."""
        check_schedule(self.every_n_epochs)

    @abstractmethod
    def draw(self, model: ImageClassifier, trainer: Trainer) -> Figure:
        """Make the picture; the model is in eval mode."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw and log, unless this epoch is not one to draw."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        fitting = trainer.state.fn == TrainerFn.FITTING
        if fitting and trainer.current_epoch % self.every_n_epochs:
            return
        # Validation runs in inference mode, whose tensors no gradient can pass.
        with torch.inference_mode(False), torch.enable_grad():
            try:
                figure = self.draw(classifier_of(pl_module), trainer)
            except NothingToShow as reason:
                rank_zero_warn(f"No picture {self.name}: {reason}")  # once, and training goes on
                return
        if fitting:
            log_step_figure(trainer, figure, f"val/{self.name}")
        else:
            log_figure(trainer, figure, self.name)


def check_schedule(every_n_epochs: int) -> None:
    """Refuse a schedule that never comes.

    Raises:
        ValueError: If it is not positive.
    """
    if every_n_epochs < 1:
        raise ValueError(f"Expected every_n_epochs to be at least 1, got {every_n_epochs}.")


def probe_images(trainer: Trainer, num_images: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The run's fixed validation images, on the device of the model, and their labels."""
    images, labels = data_of(trainer).sample(num_images)
    device = trainer.strategy.root_device
    return images.to(device), labels.to(device)
