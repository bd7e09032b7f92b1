"""Parts of a trainer that callbacks read: its datamodule and its classifier."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from models import ImageClassifier


class ImageData(Protocol):
    """Interface of an image datamodule, as far as callbacks use it."""

    class_names: tuple[str, ...]
    sources: dict[str, Any]
    augmentation: Any
    options: Any

    @abstractmethod
    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """Validation images in [0, 1] and their labels, the same at every call."""

    @abstractmethod
    def images(self, split: str, indices: Sequence[int]) -> Tensor:
        """Images of a split by their indices in its source, not augmented, in [0, 1]."""

    @abstractmethod
    def derived(
        self, split: str, what: str, compute: Callable[[Any], Any], draw: int | None = None
    ) -> Any:
        """What is computed from the batches of a split, or of an augmented version; only once."""

    @abstractmethod
    def use_features(self, features: Mapping[str, Tensor]) -> None:
        """Let the loaders of these splits return features, (views, N, D), instead of images."""

    @abstractmethod
    def unreadable(self, split: str) -> Tensor:
        """Flags, (N,) uint8: 1 for images that could not be read since training started."""

    @abstractmethod
    def augmented(self, num_images: int, num_draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Training images, augmented versions of them, and their labels."""


def data_of(trainer: Trainer) -> ImageData:
    """The datamodule of a trainer."""
    return trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]


def classifier_of(module: LightningModule) -> ImageClassifier:
    """The module as an `ImageClassifier`.

    Raises:
        TypeError: If it is not one.
    """
    if not isinstance(module, ImageClassifier):
        raise TypeError(f"Expected an ImageClassifier, got {type(module).__name__}.")
    return module
