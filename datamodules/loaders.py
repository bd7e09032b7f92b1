"""Data loaders: shuffled for training, in order for evaluation; where a resumed fit continues."""

import os
import signal
from collections.abc import Iterable
from functools import partial
from typing import Any, Literal

import cv2
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader, Dataset

from datamodules.dataset import AugmentedDataset, Batch, PlainDataset
from datamodules.feature_dataset import FeatureDataset
from datamodules.splits.sampler import EvalSampler, Position, TrainSampler, sampling_weights

MAX_WORKERS = 8  # more loader processes than this compete with each other
POWERS = {"uniform": 1.0, "sqrt": 0.5, "balanced": 0.0}  # of a class's share, for its draws


def default_workers() -> int:
    """One loader process per core, at most `MAX_WORKERS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, MAX_WORKERS)


def train_loader(
    dataset: AugmentedDataset | FeatureDataset,
    sampling: Literal["uniform", "sqrt", "balanced"],
    trainer: Trainer | None,
    batch_size: int,
    num_workers: int,
) -> DataLoader[Any]:
    """Shuffled batches; an incomplete last one is dropped unless it is the only one."""
    source, power = dataset.source, POWERS[sampling]
    rank, world_size = _process_of(trainer)
    sampler = TrainSampler(
        len(source),
        dataset.seed,
        partial(position_of, trainer, batch_size),
        rank,
        world_size,
        weights=None if power == 1 else sampling_weights(source.labels, power),
        blocks=source.blocks(),
    )
    drop_last = len(sampler) >= batch_size
    return make_loader(dataset, sampler, batch_size, num_workers, drop_last)


def eval_loader(
    dataset: PlainDataset | FeatureDataset,
    trainer: Trainer | None,
    batch_size: int,
    num_workers: int,
) -> DataLoader[Any]:
    """Batches in order, every image in exactly one process."""
    sampler = EvalSampler(len(dataset), *_process_of(trainer))
    return make_loader(dataset, sampler, batch_size, num_workers)


def make_loader(
    dataset: Dataset[Any],
    sampler: Iterable[Any],
    batch_size: int,
    num_workers: int,
    drop_last: bool = False,
) -> DataLoader[Any]:
    """Batches of uint8 images, made by processes with one thread each, or of features."""
    if isinstance(dataset, FeatureDataset):
        num_workers = 0  # they are in memory
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        drop_last=drop_last,
        collate_fn=_as_is,  # the datasets make whole batches
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
        worker_init_fn=_prepare_worker,
    )


def position_of(trainer: Trainer | None, batch_size: int) -> Position:
    """Where the fit stands; a resumed epoch continues after the batches that it has seen."""
    if trainer is None:
        return Position(epoch=0, num_seen=0)
    loop = trainer.fit_loop
    progress: Any = loop.epoch_loop.batch_progress.current
    # `processed`, not `completed`: the optimizer has stepped, even if the checkpoint was written
    # before the batch counted as complete.
    resumes = loop.restarting and progress.processed < trainer.num_training_batches
    epoch_progress: Any = loop.epoch_progress.current
    return Position(epoch_progress.processed, progress.processed * batch_size if resumes else 0)


def _process_of(trainer: Trainer | None) -> tuple[int, int]:
    """Rank and world size."""
    return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)


def _as_is(batch: Batch) -> Batch:
    return batch


def _prepare_worker(worker: int) -> None:
    """One process per core is enough; OpenCV would start as many threads in each."""
    cv2.setNumThreads(0)
    # Ctrl-C reaches all processes of a terminal, but a fit still needs batches to end its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
