"""What every datamodule shares: splits, loaders, and the fixed images that pictures are made of."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.augmentation.load import Transform
from datamodules.augmentation.mixing import Mixing
from datamodules.augmentation.pipeline import Augmentation
from datamodules.augmentation.views import with_views
from datamodules.dataset import AugmentedDataset, Batch, PlainDataset, make_batch, to_unit_range
from datamodules.loader import make_loader, position_of
from datamodules.needed import prepared, told_where_from
from datamodules.options import Options
from datamodules.probe import draws_of, probe_images
from datamodules.sources.source import ImageSource
from datamodules.splits.arrange import arrange
from datamodules.splits.sampler import EvalSampler, Position, TrainSampler, mix, sampling_weights
from datamodules.splits.selection import merged_names
from datamodules.splits.split import Split

POWERS = {"uniform": 1.0, "sqrt": 0.5, "balanced": 0.0}  # of a class's share, by which it is drawn
MAX_WORKERS = 8  # beyond this, loaders of one process get in each other's way


class ImageDataModule(LightningDataModule, ABC):
    """Labelled images: uint8 from the loaders, float in [0, 1] on the device.

    A batch is (images, labels, indices), where an index counts the images of the split: predictions
    are joined to `sources[split].names`. MixUp and CutMix make labels shares of the classes, (N,
    num_classes); test-time views make images (N, views, C, H, W). What is drawn at random depends
    on seed, epoch and place in the epoch alone, whatever the number of workers.

    Args:
        image_size: Side of the square images, in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most `MAX_WORKERS`.
        augmentation: albumentations applied to training images only; the name of a preset, a YAML
            file, or a list, `[]` for none.
        split: How to split off a validation or test set that the data lack.
        options: What is done with the images, wherever they come from.

    Attributes:
        place: Where the images come from, for messages.
    """

    place: Path | str = ""

    def __init__(
        self,
        image_size: int,
        num_channels: int,
        batch_size: int,
        num_workers: int | None,
        augmentation: Sequence[Transform] | str,
        split: Split,
        options: Options = Options(),
    ) -> None:
        super().__init__()
        for name, value in (("image_size", image_size), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"data.{name} is {value}; expected 1 or more.")
        if num_workers is not None and num_workers < 0:
            raise ValueError(f"data.num_workers is {num_workers}; expected 0 or more.")
        self.image_size = image_size
        self.num_channels = num_channels
        self.batch_size = batch_size
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.num_workers = min(cores or 1, MAX_WORKERS) if num_workers is None else num_workers
        self.augmentation = Augmentation(augmentation)
        self.split = split
        self.options = options
        self._unreadable: dict[str, Tensor] = {}
        self._samples: dict[int, tuple[Tensor, Tensor]] = {}

    @abstractmethod
    def find_classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices; called before `load`."""

    @abstractmethod
    def load(self) -> Mapping[str, ImageSource]:
        """The `train` images, and `val`, `test` and `predict` where the data have them."""

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices; known before `setup`."""
        with told_where_from(self.options.origin):
            return merged_names(self.find_classes(), self.options.merge_classes)

    @cached_property
    def sources(self) -> dict[str, ImageSource]:
        """The images of each split: what the data lack is split off the training images."""
        with told_where_from(self.options.origin):
            return arrange(self.load(), self.find_classes(), self.split, self.options)

    @property
    def num_classes(self) -> int:
        """How many classes there are, two at least; the command line hands it to the model."""
        if len(self.class_names) < 2:
            found = ", ".join(self.class_names) or "none"
            where = self.place or type(self).__name__
            raise ValueError(f"{where}: expected two classes or more, found {found}.")
        return len(self.class_names)

    @property
    def class_counts(self) -> list[int]:
        """Training images of each class."""
        return np.bincount(self.sources["train"].labels, minlength=self.num_classes).tolist()

    def setup(self, stage: str) -> None:
        """Look at the files that the command needs, and decode them if they are cached."""
        self.sources |= prepared(self.sources, stage, self._predicted, self.options)

    def unreadable(self, split: str) -> Tensor:
        """Flags, (N,) uint8, of the images that could not be read since training started."""
        if split not in self._unreadable:  # in shared memory: loader processes set them
            size = len(self.sources[split])
            self._unreadable[split] = torch.zeros(size, dtype=torch.uint8).share_memory_()
        return self._unreadable[split]

    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """The same validation images at every call, in [0, 1], and their labels; by class."""
        if num_images not in self._samples:  # kept: a file may vanish while training runs
            self._samples[num_images] = probe_images(self.sources["val"], num_images)[:2]
        return self._samples[num_images]

    def images(self, split: str, indices: Sequence[int]) -> Tensor:
        """Images of a split by their places in its source, as they are, (n, C, H, W) in [0, 1]."""
        source = self.sources[split]
        pixels = [source.read(index) for index in indices]
        return to_unit_range(make_batch(source, pixels, indices)[0])

    def plain_batches(self, split: str, indices: Sequence[int]) -> Iterator[Batch]:
        """Images of a split by their places in its source, as they are, batch by batch.

        A batch is on the CPU, its images in [0, 1]; those that cannot be read are left out.
        """
        dataset = PlainDataset(self.sources[split], self.unreadable(split))
        for images, labels, places in self._loader(dataset, indices):
            if len(labels):
                yield [to_unit_range(images), labels, places]

    def augmented(self, num_images: int, num_draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Training images spread over the classes, and what augmentation makes of them.

        Returns:
            Images (N, C, H, W), their draws (N, num_draws, C, H, W), both in [0, 1], and labels.
        """
        images, labels, indices = probe_images(self.sources["train"], num_images)
        return images, draws_of(self._training_images(), indices, num_draws), labels

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled and augmented; an incomplete last batch is dropped."""
        source, power = self.sources["train"], POWERS[self.options.sampling]
        weights = None if power == 1 else sampling_weights(source.labels, power)
        process, blocks = self._process, source.blocks()
        sampler = TrainSampler(
            len(source), self._seed, self._position, *process, weights=weights, blocks=blocks
        )
        whole = len(sampler) >= self.batch_size
        return self._loader(self._training_images(), sampler, drop_last=whole)

    def val_dataloader(self) -> DataLoader[Any]:
        """In order, every image once."""
        return self._eval_loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """In order, every image once."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> DataLoader[Any]:
        """In order, every image once: the `predict` images, or those of `test` without any."""
        return self._eval_loader(self._predicted)

    @property
    def _predicted(self) -> str:
        return "predict" if "predict" in self.sources else "test"

    def on_after_batch_transfer(self, batch: Sequence[Tensor], dataloader_idx: int) -> list[Tensor]:
        """On the device, make images float in [0, 1], mix them, or add the views of a test."""
        images, labels, indices = batch
        images = to_unit_range(images)
        if self.trainer is not None and self.trainer.training:
            epoch, batch_idx = self.trainer.current_epoch, self.trainer.fit_loop.batch_idx + 1
            seed = mix(self._seed, epoch, batch_idx, self.trainer.global_rank)
            images, labels = self._mixing(images, labels, seed)
        tested = self.trainer is not None and (self.trainer.testing or self.trainer.predicting)
        if tested and self.options.test_time_views:
            images = with_views(images, self.options.test_time_views)
        return [images, labels, indices]

    @cached_property
    def _mixing(self) -> Mixing:
        return Mixing(self.options.mixup, self.options.cutmix, self.num_classes)

    def _training_images(self) -> AugmentedDataset:
        source, flags = self.sources["train"], self.unreadable("train")
        return AugmentedDataset(source, self.augmentation, self._seed, flags)

    def _eval_loader(self, split: str) -> DataLoader[Any]:
        dataset = PlainDataset(self.sources[split], self.unreadable(split))
        return self._loader(dataset, EvalSampler(len(dataset), *self._process))

    def _loader(
        self, dataset: Dataset[Any], sampler: Iterable[Any], drop_last: bool = False
    ) -> DataLoader[Any]:
        return make_loader(dataset, sampler, self.batch_size, self.num_workers, drop_last)

    def _position(self) -> Position:
        return position_of(self.trainer, self.batch_size)

    @property
    def _seed(self) -> int:
        return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`

    @property
    def _process(self) -> tuple[int, int]:
        """Rank and world size."""
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size
