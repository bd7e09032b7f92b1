"""Loaders, and where a fit stands when they begin."""

from collections.abc import Iterable
from typing import Any

import cv2
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader, Dataset

from datamodules.dataset import Batch
from datamodules.splits.sampler import Position


def make_loader(
    dataset: Dataset[Any],
    sampler: Iterable[Any],
    batch_size: int,
    num_workers: int,
    drop_last: bool = False,
) -> DataLoader[Any]:
    """Batches of uint8 images, made by processes of one thread each."""
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        drop_last=drop_last,
        collate_fn=_as_is,  # the data sets make whole batches
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
        worker_init_fn=_use_one_thread,
    )


def position_of(trainer: Trainer | None, batch_size: int) -> Position:
    """Where the fit stands; it goes on after the batches that a resumed epoch has seen."""
    if trainer is None:
        return Position(epoch=0, num_seen=0)
    loop = trainer.fit_loop
    progress: Any = loop.epoch_loop.batch_progress.current
    # `processed`, not `completed`: the optimizer has stepped, even if the checkpoint was written
    # before the batch was called complete.
    resumes = loop.restarting and progress.processed < trainer.num_training_batches
    epoch_progress: Any = loop.epoch_progress.current
    return Position(epoch_progress.processed, progress.processed * batch_size if resumes else 0)


def _as_is(batch: Batch) -> Batch:
    return batch


def _use_one_thread(worker: int) -> None:
    """A process a core is enough: OpenCV would start a thread a core in each."""
    cv2.setNumThreads(0)
