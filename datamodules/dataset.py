"""From a source to tensors."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from datamodules.augmentation.pipeline import Augmentation
from datamodules.sources.decode import UnreadableImageError
from datamodules.sources.source import ImageSource
from datamodules.splits.sampler import mix

Item = tuple[Tensor, int, int]  # uint8 image (C, H, W), label, index in the source
MAX_SUBSTITUTES = 20  # if so many images in a row cannot be read, the disk is gone


class PlainDataset(Dataset[Item | None]):
    """Images as they are, for everything but training; None in place of an unreadable one.

    Args:
        source: Where images and labels come from.
        unreadable: Flags, (N,) uint8, set for images that could not be read; in shared memory, so
            that the main process sees what its loader processes meet.
    """

    def __init__(self, source: ImageSource, unreadable: Tensor) -> None:
        self.source, self.unreadable = source, unreadable

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Item | None:
        try:
            image = self.source.read(index)
        except UnreadableImageError:
            self.unreadable[index] = 1
            return None
        return to_tensor(image), int(self.source.labels[index]), index


class AugmentedDataset(Dataset[Item]):
    """Images as training sees them: what is drawn depends on seed, epoch and index alone.

    In place of an unreadable image comes the next that can be read, so that batches stay whole.

    Args:
        source: Where images and labels come from.
        augmentation: What is done to each image.
        seed: Seed of the run.
        unreadable: See `PlainDataset`.
    """

    def __init__(
        self, source: ImageSource, augmentation: Augmentation, seed: int, unreadable: Tensor
    ) -> None:
        self.source, self.augmentation, self.seed = source, augmentation, seed
        self.unreadable = unreadable

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, position: tuple[int, int] | int) -> Item:
        # Lightning's `overfit_batches` takes our sampler away; its own yields plain indices.
        epoch, asked = (0, position) if isinstance(position, int) else position
        problem = ""
        for index in ((asked + step) % len(self) for step in range(MAX_SUBSTITUTES)):
            try:
                image = self.source.read(index)
            except UnreadableImageError as error:
                self.unreadable[index] = 1
                problem = str(error)
                continue
            image = self.augmentation(image, mix(self.seed, epoch, index))
            return to_tensor(image), int(self.source.labels[index]), index
        raise UnreadableImageError(f"{MAX_SUBSTITUTES} images in a row: {problem}")


def collate(items: list[Item | None], shape: tuple[int, int, int]) -> list[Tensor]:
    """Batch the images that could be read; without any, an empty batch of the shape (C, H, W)."""
    readable = [item for item in items if item is not None]
    if readable:
        return default_collate(readable)
    none = torch.empty(0, dtype=torch.int64)
    return [torch.empty(0, *shape, dtype=torch.uint8), none, none]


def to_tensor(image: np.ndarray) -> Tensor:
    """From (H, W, C) to (C, H, W), still uint8: a quarter of what a batch of floats weighs."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def to_unit_range(images: Tensor) -> Tensor:
    """From uint8 to float in [0, 1]."""
    return images.float().div_(255)
