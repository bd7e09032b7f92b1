"""PyTorch datasets: batches of uint8 images, with or without augmentation."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.augmentation.pipeline import Augmentation
from datamodules.read_ahead import read_ahead
from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.source import ImageSource
from datamodules.splits.mix import mix

Batch = list[Tensor]  # uint8 images (N, C, H, W), labels (N,), indices in the source (N,)
MAX_SUBSTITUTES = 20  # unreadable images in a row; with more, the disk has failed


class PlainDataset(Dataset[Batch]):
    """Images without augmentation, for everything but training; unreadable ones are left out.

    Args:
        source: Images and labels.
        unreadable: Flags, (N,) uint8, set for images that could not be read; in shared memory, so
            that the main process sees those of its loader processes.
    """

    def __init__(self, source: ImageSource, unreadable: Tensor) -> None:
        self.source, self.unreadable = source, unreadable
        self.read_ahead = read_ahead(source)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch; it is empty if none of the images can be read."""
        if self.read_ahead:
            self.read_ahead.follow(np.array(indices))
        taken = self.source.take(indices)
        if taken is not None:
            return make_batch(self.source, taken, indices)
        images, readable = [], []
        for index in indices:
            try:
                images.append(self.source.read(index))
                readable.append(index)
            except UnreadableImageError:
                self.unreadable[index] = 1
        return make_batch(self.source, images, readable)


class AugmentedDataset(Dataset[Batch]):
    """Augmented images; the augmentation of each depends only on seed, epoch and index.

    An unreadable image is replaced by the next readable one, so that batches stay complete.

    Args:
        source: Images and labels.
        augmentation: Applied to each image.
        seed: Seed of the run.
        unreadable: See `PlainDataset`.
        num_views: Different versions of each image, which the epochs repeat in turn; 0 for a new
            one in each epoch.
    """

    def __init__(
        self,
        source: ImageSource,
        augmentation: Augmentation,
        seed: int,
        unreadable: Tensor,
        num_views: int = 0,
    ) -> None:
        self.source, self.augmentation, self.seed = source, augmentation, seed
        self.unreadable, self.num_views = unreadable, num_views
        self.read_ahead = read_ahead(source)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, position: tuple[int, int] | int) -> Batch:
        return self.__getitems__([position])

    def __getitems__(self, positions: Sequence[tuple[int, int] | int]) -> Batch:
        """A batch of the images at (epoch, index)."""
        # Lightning's `overfit_batches` takes our sampler away; its own yields plain indices.
        places = [(0, place) if isinstance(place, int) else place for place in positions]
        asked = [index for _, index in places]
        if self.read_ahead:
            self.read_ahead.follow(np.array(asked))
        taken = self.source.take(asked)
        if taken is not None and not self.augmentation:
            return make_batch(self.source, taken, asked)
        images, indices = [], []
        for epoch, place in places:
            image, index = self._read(place)
            draw = epoch % self.num_views if self.num_views else epoch
            images.append(self.augmentation(image, mix(self.seed, draw, index)))
            indices.append(index)
        return make_batch(self.source, images, indices)

    def _read(self, asked: int) -> tuple[np.ndarray, int]:
        """The image or the next readable one, and its index."""
        problem = ""
        for index in ((asked + step) % len(self) for step in range(MAX_SUBSTITUTES)):
            try:
                return self.source.read(index), index
            except UnreadableImageError as error:
                self.unreadable[index] = 1
                problem = str(error)
        raise UnreadableImageError(f"{MAX_SUBSTITUTES} images in a row: {problem}")


def make_batch(
    source: ImageSource, images: Sequence[np.ndarray] | np.ndarray, indices: Sequence[int]
) -> Batch:
    """Images (H, W, C) as a batch (N, C, H, W), still uint8: a quarter of the size of floats."""
    height, width, channels = images[0].shape if len(images) else (1, 1, 1)
    if channels == 1:
        batch = np.asarray(images, np.uint8).reshape(-1, 1, height, width)
    else:
        batch = np.empty((len(images), channels, height, width), np.uint8)
        for image, target in zip(images, batch, strict=True):
            cv2.split(image, list(target))  # 15 times faster than NumPy's transpose
    rows = np.asarray(indices, dtype=np.int64)
    return [torch.from_numpy(batch), torch.from_numpy(source.labels[rows]), torch.from_numpy(rows)]


def to_unit_range(images: Tensor) -> Tensor:
    """From uint8 to float in [0, 1]."""
    return images.float().div_(255)
