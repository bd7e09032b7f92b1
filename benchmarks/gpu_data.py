"""Images for `gpu.py`: a few of them repeated, on the device, in memory or in JPEG files."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from datamodules import ImageDataModule, SplitSettings
from datamodules.options import Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageReader, ImageSource

Place = Literal["device", "memory", "files"]


class SameBatch:
    """A loader that returns one batch again and again.

    Args:
        batch: Images, labels and indices.
        length: Number of batches.
    """

    def __init__(self, batch: list[Tensor], length: int) -> None:
        self.batch, self.length = batch, length

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[Tensor]]:
        return repeat(self.batch, self.length)


class RepeatedImages(ImageDataModule):
    """Images of noise, or photographs, of which a few are shown again and again.

    Args:
        place: Where they are: `device` repeats one batch that is on the GPU, and needs no loader;
            `memory` has arrays of noise; `files` reads the JPEG files in `folder`.
        num_images: Number of training images, repeated ones included.
        num_distinct: Number of arrays in memory.
        num_classes: Number of classes.
        image_size: Side of the square images, in pixels.
        batch_size: Images per batch.
        num_workers: Loader processes; None takes one per core.
        num_val: Number of validation images.
        folder: Where the files are.
        device: The GPU, or the CPU.
    """

    def __init__(
        self,
        place: Place = "device",
        num_images: int = 64,
        num_distinct: int = 64,
        num_classes: int = 4,
        image_size: int = 32,
        batch_size: int = 16,
        num_workers: int | None = 0,
        num_val: int = 16,
        folder: Path | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(
            image_size, 3, batch_size, num_workers, [], SplitSettings(val=0, test=0), Options()
        )
        self.kind, self.num_images, self.num_distinct = place, num_images, num_distinct
        self.number_of_classes, self.num_val = num_classes, num_val
        self.folder, self.device = folder, device

    def find_classes(self) -> tuple[str, ...]:
        """Numbers."""
        return tuple(f"{index:04}" for index in range(self.number_of_classes))

    def load(self) -> dict[str, ImageSource]:
        """The same images for training, validation and test."""
        reader, distinct = self._reader()
        sizes = {"train": self.num_images, "val": self.num_val, "test": self.num_val}
        return {split: self._source(reader, distinct, size) for split, size in sizes.items()}

    def train_dataloader(self) -> Any:
        """The batch on the device again and again, or a loader."""
        if self.kind != "device":
            return super().train_dataloader()
        shape = (self.batch_size, 3, self.image_size, self.image_size)
        images = torch.randint(256, shape, dtype=torch.uint8, device=self.device)
        indices = torch.arange(self.batch_size, device=self.device)
        batch = [images, indices % self.number_of_classes, indices]
        return SameBatch(batch, self.num_images // self.batch_size)

    def _reader(self) -> tuple[ImageReader, int]:
        if self.kind == "files":
            assert self.folder is not None
            names = sorted(file.name for file in self.folder.glob("*.jpg"))
            return FileReader(self.folder, names, self.image_size, 3), len(names)
        distinct = min(self.num_distinct, self.num_images)
        shape = (distinct, self.image_size, self.image_size, 3)
        noise = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        return ArrayReader(noise), distinct

    def _source(self, reader: ImageReader, distinct: int, size: int) -> ImageSource:
        each = np.arange(size)
        names = [f"{index}.jpg" for index in range(size)]
        return ImageSource(reader, each % self.number_of_classes, names, rows=each % distinct)
