"""Base class of all datamodules: splits, loaders, and the fixed images that pictures show."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from datamodules.augmentation.load import Transform
from datamodules.augmentation.mixing import Mixing
from datamodules.augmentation.pipeline import Augmentation
from datamodules.dataset import AugmentedDataset, Batch, PlainDataset
from datamodules.derived_arrays import Compute, derived_array, readable_batches
from datamodules.device_batches import on_device
from datamodules.feature_dataset import FeatureDataset
from datamodules.fixed_images import augmented_draws, images_at, spread
from datamodules.loaders import default_workers, eval_loader, make_loader, train_loader
from datamodules.options import AUTO_BATCH_SIZE, BatchSize, Options, at_least
from datamodules.required_images import naming_origin, prepared
from datamodules.sources.resizing import Resize
from datamodules.sources.source import ImageSource
from datamodules.splits.assign_splits import arrange
from datamodules.splits.selection import merged_names
from datamodules.splits.settings import SplitSettings


class ImageDataModule(LightningDataModule, ABC):
    """Labelled images: uint8 from the loaders, float in [0, 1] on the device.

    A batch is (images, labels, indices); the index of an image is its place in `sources[split]`,
    where its name is. MixUp and CutMix turn labels into shares of the classes, (N, num_classes);
    test-time views make images (N, views, C, H, W). Random draws depend only on the seed, the
    epoch and the place in the epoch, not on the number of workers.

    Args:
        image_size: Side of the square images, in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most eight.
        augmentation: Of training images: a preset's name, a YAML file, or a list; `[]` for none.
        split: How to split off a validation or test set that the dataset lacks.
        options: Settings that all datamodules share.

    Attributes:
        place: Where the images come from, for messages.
        resize: What happens to images that are not square; datamodules of square images squeeze.
        auto_batch_size: Whether the batch size is to be found before training.
    """

    place: Path | str = ""
    resize: Resize = "squeeze"

    def __init__(
        self,
        image_size: int,
        num_channels: int,
        batch_size: BatchSize,
        num_workers: int | None,
        augmentation: Sequence[Transform] | str,
        split: SplitSettings,
        options: Options = Options(),
    ) -> None:
        super().__init__()
        self.image_size = at_least(1, "data.image_size", image_size)
        self.num_channels = num_channels
        self.auto_batch_size = batch_size == "auto"
        size = AUTO_BATCH_SIZE if batch_size == "auto" else batch_size
        self.batch_size = at_least(1, "data.batch_size", size)
        self.num_workers = num_workers and at_least(0, "data.num_workers", num_workers)
        self.augmentation = Augmentation(augmentation)
        self.split = split
        self.options = options
        self._features: dict[str, FeatureDataset] = {}
        self._unreadable: dict[str, Tensor] = {}
        self._samples: dict[int, tuple[Tensor, Tensor]] = {}

    @abstractmethod
    def find_classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices; called before `load`."""

    @abstractmethod
    def load(self) -> Mapping[str, ImageSource]:
        """The `train` images, and `val`, `test` and `predict` if the dataset has them."""

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices; known before `setup`."""
        with naming_origin(self.options.origin):
            return merged_names(self.find_classes(), self.options.merge_classes)

    @cached_property
    def sources(self) -> dict[str, ImageSource]:
        """The images of each split; missing splits are split off the training images."""
        with naming_origin(self.options.origin):
            return arrange(self.load(), self.find_classes(), self.split, self.options)

    @property
    def num_classes(self) -> int:
        """Number of classes, at least two; the command line hands it to the model."""
        if len(self.class_names) < 2:
            found = ", ".join(self.class_names) or "none"
            where = self.place or type(self).__name__
            raise ValueError(f"{where}: expected two classes or more, found {found}.")
        return len(self.class_names)

    @property
    def class_counts(self) -> list[int]:
        """Number of training images of each class."""
        return np.bincount(self.sources["train"].labels, minlength=self.num_classes).tolist()

    def setup(self, stage: str) -> None:
        """Check the files that the command needs, and decode them if they are cached."""
        self.sources |= prepared(
            self.sources, stage, self._predicted, self.options, self.class_names
        )

    def unreadable(self, split: str) -> Tensor:
        """Flags, (N,) uint8, of the images that could not be read since training started."""
        if split not in self._unreadable:  # in shared memory: loader processes set them
            size = len(self.sources[split])
            self._unreadable[split] = torch.zeros(size, dtype=torch.uint8).share_memory_()
        return self._unreadable[split]

    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """Validation images (N, C, H, W) in [0, 1] and labels (N,); the same at every call."""
        if num_images not in self._samples:  # kept: a file may vanish while training runs
            source = self.sources["val"]
            self._samples[num_images] = images_at(source, spread(source.labels, num_images))
        return self._samples[num_images]

    def images(self, split: str, indices: Sequence[int]) -> Tensor:
        """Images of a split without augmentation, (N, C, H, W) in [0, 1]."""
        return images_at(self.sources[split], indices)[0]

    def augmented(self, num_images: int, num_draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Training images (N, C, H, W), augmented (N, num_draws, C, H, W), and labels (N,)."""
        source = self.sources["train"]
        chosen = spread(source.labels, num_images)
        images, labels = images_at(source, chosen)
        return images, augmented_draws(self._training_images(), chosen, num_draws), labels

    def plain_batches(self, split: str, indices: Sequence[int]) -> Iterator[Batch]:
        """Batches of readable images without augmentation, on the CPU, in [0, 1]."""
        loader = make_loader(self._plain(split), indices, self.batch_size, self._workers)
        return readable_batches(loader)

    def derived(self, split: str, what: str, compute: Compute, draw: int | None = None) -> Any:
        """What is computed from all images of a split, only once; see `derived_array`."""
        dataset = self._plain(split) if draw is None else self._training_images()
        return derived_array(dataset, what, compute, draw, self.batch_size, self._workers)

    def use_features(self, features: Mapping[str, Tensor]) -> None:
        """Let the loaders of these splits return features, (views, N, D), instead of images."""
        sources, seed = self.sources, self._seed
        self._features = {s: FeatureDataset(sources[s], f, seed) for s, f in features.items()}

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled and augmented images; an incomplete last batch is dropped."""
        images, sampling = self._features.get("train"), self.options.sampling
        images = images or self._training_images()
        return train_loader(images, sampling, self.trainer, self.batch_size, self._workers)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation images in order, every image once."""
        return self._eval_loader("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Test images in order, every image once."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> DataLoader[Any]:
        """The `predict` images in order, or those of `test` if there are none."""
        return self._eval_loader(self._predicted)

    def on_after_batch_transfer(self, batch: Sequence[Tensor], dataloader_idx: int) -> list[Tensor]:
        """On the device: make images float in [0, 1], mix them, or add test-time views."""
        mixing = Mixing(self.options.mixup, self.options.cutmix, self.num_classes)
        return on_device(batch, self.trainer, mixing, self.options.test_time_views, self._seed)

    @property
    def _workers(self) -> int:
        """Loader processes; how many training processes share the machine, the trainer knows."""
        return default_workers(self.trainer) if self.num_workers is None else self.num_workers

    @property
    def _predicted(self) -> str:
        return "predict" if "predict" in self.sources else "test"

    def _training_images(self) -> AugmentedDataset:
        source, flags = self.sources["train"], self.unreadable("train")
        views = self.options.augmentation_views
        return AugmentedDataset(source, self.augmentation, self._seed, flags, views)

    def _plain(self, split: str) -> PlainDataset:
        return PlainDataset(self.sources[split], self.unreadable(split))

    def _eval_loader(self, split: str) -> DataLoader[Any]:
        dataset = self._features.get(split) or self._plain(split)
        return eval_loader(dataset, self.trainer, self.batch_size, self._workers)

    @property
    def _seed(self) -> int:
        return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`
