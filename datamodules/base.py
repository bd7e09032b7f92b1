"""What every datamodule shares: splits, loaders, and the fixed images that pictures are made of."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from datamodules.augmentation import Augmentation, Transform
from datamodules.dataset import AugmentedDataset, Item, PlainDataset
from datamodules.sampler import EvalSampler, Position, TrainSampler
from datamodules.source import ImageSource
from datamodules.split import Split, spread, stratified_split

MAX_WORKERS = 8  # beyond this, loaders of one process get in each other's way


class ImageDataModule(LightningDataModule, ABC):
    """Labelled images: uint8 from the loaders, float in [0, 1] on the device.

    A batch is (images, labels, indices), where an index counts the images of the split, so that
    predictions can be joined to `sources[split].names`. What is drawn at random (order,
    augmentation) depends on seed, epoch and index alone, whatever the number of workers.

    Args:
        image_size: Side of the square images, in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most `MAX_WORKERS`.
        augmentation: albumentations applied to training images only; `[]` for none.
        split: How to split off a validation or test set that the data lack.
    """

    def __init__(
        self,
        image_size: int,
        num_channels: int,
        batch_size: int,
        num_workers: int | None,
        augmentation: Sequence[Transform],
        split: Split,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.num_channels = num_channels
        self.batch_size = batch_size
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.num_workers = min(cores or 1, MAX_WORKERS) if num_workers is None else num_workers
        self.augmentation = Augmentation(list(augmentation))
        self.split = split

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices; known before `setup`."""

    @abstractmethod
    def load(self) -> Mapping[str, ImageSource]:
        """The `train` images, and `val` and `test` where the data have them."""

    @cached_property
    def sources(self) -> dict[str, ImageSource]:
        """The images of each split; what the data lack is split off the training images."""
        sources = dict(self.load())
        for name, fraction in (("test", self.split.test), ("val", self.split.val)):
            if name not in sources:
                train = sources["train"]
                # The salt keeps a validation set from being the start of the test set's order.
                salted = [f"{name}/{image}" for image in train.names]
                stay, aside = stratified_split(salted, train.labels, fraction, self.split.seed)
                sources |= {"train": train.subset(stay), name: train.subset(aside)}
        return sources

    @property
    def num_classes(self) -> int:
        """How many classes there are; the command line hands it to the model.

        Raises:
            ValueError: If there is nothing to tell apart.
        """
        if len(self.class_names) < 2:
            raise ValueError(f"Expected two classes or more, got {', '.join(self.class_names)}.")
        return len(self.class_names)

    @property
    def class_counts(self) -> list[int]:
        """Training images of each class."""
        return np.bincount(self.sources["train"].labels, minlength=self.num_classes).tolist()

    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """The same validation images at every call, spread over the classes, with their labels.

        Returns:
            Images in [0, 1], (N, C, H, W), and labels (N,), ordered by class.
        """
        source = self.sources["val"]
        dataset = PlainDataset(source)
        items = [dataset[index] for index in spread(source.labels, num_images)]
        images, labels, _ = default_collate(items)
        return to_unit_range(images), labels

    def augmented(self, num_images: int, num_draws: int) -> tuple[Tensor, Tensor, Tensor]:
        """Training images spread over the classes, and what augmentation makes of them.

        Returns:
            Images (N, C, H, W), their draws (N, num_draws, C, H, W), both in [0, 1], and labels.
        """
        source = self.sources["train"]
        chosen = spread(source.labels, num_images)
        plain = PlainDataset(source)
        drawn = AugmentedDataset(source, self.augmentation, self._seed)
        images = torch.stack([plain[index][0] for index in chosen])
        draws = [torch.stack([drawn[epoch, i][0] for epoch in range(num_draws)]) for i in chosen]
        return (
            to_unit_range(images),
            to_unit_range(torch.stack(draws)),
            torch.from_numpy(source.labels[chosen]),
        )

    def train_dataloader(self) -> DataLoader[Item]:
        """Shuffled and augmented; an incomplete last batch is dropped."""
        dataset = AugmentedDataset(self.sources["train"], self.augmentation, self._seed)
        sampler = TrainSampler(len(dataset), self._seed, self._position, *self._process)
        return self._loader(dataset, sampler, drop_last=len(sampler) >= self.batch_size)

    def val_dataloader(self) -> DataLoader[Item]:
        """In order, every image once."""
        return self._eval_loader("val")

    def test_dataloader(self) -> DataLoader[Item]:
        """In order, every image once."""
        return self._eval_loader("test")

    def predict_dataloader(self) -> DataLoader[Item]:
        """In order, every image once: the `predict` images, or those of `test` without any."""
        return self._eval_loader("predict" if "predict" in self.sources else "test")

    def on_after_batch_transfer(self, batch: Sequence[Tensor], dataloader_idx: int) -> list[Tensor]:
        """Make images float in [0, 1], once they are on the device."""
        images, *rest = batch
        return [to_unit_range(images), *rest]

    def _eval_loader(self, split: str) -> DataLoader[Item]:
        dataset = PlainDataset(self.sources[split])
        return self._loader(dataset, EvalSampler(len(dataset), *self._process))

    def _loader(
        self, dataset: Dataset[Item], sampler: Sampler, drop_last: bool = False
    ) -> DataLoader[Item]:
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            drop_last=drop_last,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=self.num_workers > 0,
            worker_init_fn=_use_one_thread,
        )

    @property
    def _seed(self) -> int:
        return int(os.environ.get("PL_GLOBAL_SEED", "0"))  # set by `seed_everything`

    @property
    def _process(self) -> tuple[int, int]:
        """Rank and world size."""
        if self.trainer is None:
            return 0, 1
        return self.trainer.global_rank, self.trainer.world_size

    def _position(self) -> Position:
        """Where the fit stands; it goes on after the batches that a resumed epoch has seen."""
        if self.trainer is None:
            return Position(epoch=0, num_seen=0)
        loop = self.trainer.fit_loop
        progress: Any = loop.epoch_loop.batch_progress.current
        # `processed`, not `completed`: the optimizer has stepped, even if the checkpoint was
        # written before the batch was called complete.
        resumes = loop.restarting and progress.processed < self.trainer.num_training_batches
        num_seen = progress.processed * self.batch_size if resumes else 0
        epoch_progress: Any = loop.epoch_progress.current
        return Position(epoch_progress.processed, num_seen)


def _use_one_thread(worker: int) -> None:
    """A process a core is enough: OpenCV would start a thread a core in each."""
    cv2.setNumThreads(0)


def to_unit_range(images: Tensor) -> Tensor:
    """From uint8 to float in [0, 1]."""
    return images.float().div_(255)
