"""What a callback may ask of the run it watches."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from models import ImageClassifier


class ImageData(Protocol):
    """The part of an image datamodule that callbacks read."""

    class_names: tuple[str, ...]
    sources: dict[str, Any]

    @abstractmethod
    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """The same validation images at every call, in [0, 1], and their labels."""

    @abstractmethod
    def images(self, split: str, indices: Sequence[int]) -> Tensor:
        """Images of a split by their places in its source, as they are, in [0, 1]."""

    @abstractmethod
    def unreadable(self, split: str) -> Tensor:
        """Flags, (N,) uint8, of the images that could not be read since training started."""

    @abstractmethod
    def augmented(self, num_images: int, num_draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Training images, what augmentation makes of them, and their labels."""


def data_of(trainer: Trainer) -> ImageData:
    """The datamodule of the run."""
    return trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]


def classifier_of(module: LightningModule) -> ImageClassifier:
    """The module of the run, which has to be an `ImageClassifier`.

    Raises:
        TypeError: If it is another one.
    """
    if not isinstance(module, ImageClassifier):
        raise TypeError(f"This callback reads an ImageClassifier, got {type(module).__name__}.")
    return module
