"""Data loaders: shuffled for training, in order for evaluation; where a resumed fit continues."""

import os
import signal
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal

import cv2
import numpy as np
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader, Dataset

from datamodules.dataset import AugmentedDataset, Batch, PlainDataset
from datamodules.feature_dataset import FeatureDataset
from datamodules.splits.sampler import (
    Announce,
    EvalSampler,
    Position,
    TrainSampler,
    sampling_weights,
)

MAX_WORKERS = 16  # of a training process; more compete with each other for memory
# How many training processes share this machine, as torchrun, SLURM and Lightning tell them.
LOCAL_PROCESSES = ("LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE")
POWERS = {"uniform": 1.0, "sqrt": 0.5, "balanced": 0.0}  # of a class's share, for its draws


def default_workers(trainer: Trainer | None = None) -> int:
    """Loader processes of a training process: one for each core that is its share, at most 16.

    While images are validated, the loader of the training images waits with full queues. So both
    may have as many.

    Args:
        trainer: Knows how many training processes share this machine; without one, torchrun and
            SLURM tell it.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = (os.environ.get(name, "") for name in LOCAL_PROCESSES)
    processes = next((int(number) for number in told if number.isdecimal()), 1)
    if trainer is not None:
        processes = max(1, trainer.world_size // trainer.num_nodes)
    return workers_for(cores or 1, processes)


def workers_for(num_cores: int, num_processes: int) -> int:
    """Loader processes of each of some training processes on a machine with so many cores."""
    return max(1, min(MAX_WORKERS, num_cores // max(1, num_processes)))


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
        announce=_announce_of(dataset),
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
    sampler = EvalSampler(len(dataset), *_process_of(trainer), _announce_of(dataset))
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
    if isinstance(sampler, Sequence) and len(sampler) and (announce := _announce_of(dataset)):
        announce(np.reshape(sampler, (len(sampler), -1))[:, -1])  # of an index, or (draw, index)
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


def _announce_of(dataset: Dataset[Any]) -> Announce | None:
    """What the sampler tells the order to; None if no images are read ahead."""
    if isinstance(dataset, PlainDataset | AugmentedDataset) and dataset.read_ahead:
        return dataset.read_ahead.announce
    return None


def _as_is(batch: Batch) -> Batch:
    return batch


def _prepare_worker(worker: int) -> None:
    """One process per core is enough; OpenCV would start as many threads in each."""
    cv2.setNumThreads(0)
    # Ctrl-C reaches all processes of a terminal, but a fit still needs batches to end its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
