"""PyTorch datasets: batches of uint8 images, with or without augmentation."""

from collections.abc import Iterable, Iterator, Sequence
from math import prod

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

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
            return array_batch(self.source, taken, indices)
        return make_batch(self.source, self._readable(indices), len(indices))

    def _readable(self, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Index and pixels of each image that can be read."""
        for index in indices:
            try:
                yield index, self.source.read(index)
            except UnreadableImageError:
                self.unreadable[index] = 1


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
        if not self.augmentation and (taken := self.source.take(asked)) is not None:
            return array_batch(self.source, taken, asked)
        return make_batch(self.source, (self._augmented(*place) for place in places), len(places))

    def _augmented(self, epoch: int, asked: int) -> tuple[int, np.ndarray]:
        """The image or the next readable one, augmented, after its index."""
        index, image = self._read(asked)
        draw = epoch % self.num_views if self.num_views else epoch
        return index, self.augmentation(image, mix(self.seed, draw, index))

    def _read(self, asked: int) -> tuple[int, np.ndarray]:
        """The image or the next readable one, after its index."""
        problem = ""
        for index in ((asked + step) % len(self) for step in range(MAX_SUBSTITUTES)):
            try:
                return index, self.source.read(index)
            except UnreadableImageError as error:
                self.unreadable[index] = 1
                problem = str(error)
        raise UnreadableImageError(f"{MAX_SUBSTITUTES} images in a row: {problem}")


def make_batch(source: ImageSource, images: Iterable[tuple[int, np.ndarray]], most: int) -> Batch:
    """Images (H, W, C) as a batch (N, C, H, W), still uint8: a quarter of the size of floats.

    Each image is copied as it comes: its memory, which the processor has at hand, is then used for
    the next one.

    Args:
        source: Where they are from.
        images: The index of each image in the source, and its pixels, all of one size.
        most: How many there are at most.
    """
    (batch, planes), indices = _empty_batch((0, 1, 1, 1)), list[int]()
    for index, image in images:
        if not indices:
            height, width, channels = image.shape
            batch, planes = _empty_batch((most, channels, height, width))
        cv2.split(image, list(planes[len(indices)]))  # 15 times faster than NumPy's transpose
        indices.append(index)
    return _with_labels(source, batch[: len(indices)], indices)


def array_batch(source: ImageSource, images: np.ndarray, indices: Sequence[int]) -> Batch:
    """As `make_batch`, from images in one array, (N, H, W, C)."""
    number, height, width, channels = images.shape
    if channels > 1:
        return make_batch(source, zip(indices, images, strict=True), number)
    batch = torch.from_numpy(images.reshape(number, 1, height, width))
    return _with_labels(source, batch, indices)


def _empty_batch(shape: tuple[int, ...]) -> tuple[Tensor, np.ndarray]:
    """Memory for a batch; in a loader process such that the training process reads it there."""
    if get_worker_info() is None or not prod(shape):
        planes = np.empty(shape, np.uint8)
        return torch.from_numpy(planes), planes
    # As torch's `default_collate`: else the batch would be copied when it is handed over.
    storage = torch.UntypedStorage._new_shared(prod(shape))
    batch = torch.empty(0, dtype=torch.uint8).set_(storage).view(shape)
    return batch, batch.numpy()


def _with_labels(source: ImageSource, batch: Tensor, indices: Sequence[int]) -> Batch:
    rows = np.asarray(indices, dtype=np.int64)
    return [batch, torch.from_numpy(source.labels[rows]), torch.from_numpy(rows)]


def to_unit_range(images: Tensor, layout: torch.memory_format = torch.preserve_format) -> Tensor:
    """From uint8 to float in [0, 1], with the channels where the network wants them."""
    return images.to(torch.float32, memory_format=layout).div_(255)
