"""Derived arrays: what is computed from images once, such as features, and stored for later."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from datamodules.dataset import AugmentedDataset, Batch, PlainDataset, to_unit_range
from datamodules.loaders import make_loader
from datamodules.sources.cache import memory_mapped
from datamodules.sources.source import ImageSource

Compute = Callable[[Iterator[Batch]], Tensor]


def derived_array(
    dataset: PlainDataset | AugmentedDataset,
    what: str,
    compute: Compute,
    draw: int | None,
    batch_size: int,
    num_workers: int,
) -> Tensor:
    """The array that was computed from all images of a dataset, now or at an earlier time.

    It is stored beside the decoded images, in a file named after a digest of the images and of what
    was computed.

    Args:
        dataset: The images.
        what: Names everything else that the array depends on, such as a digest of weights.
        compute: Gets batches of all readable images, on the CPU, in [0, 1]. It is not called if the
            array is stored.
        draw: Which augmented version of the images to take; None for the originals.
        batch_size: Images per batch.
        num_workers: Loader processes.
    """
    positions: list[Any] = list(range(len(dataset)))
    if draw is not None and isinstance(dataset, AugmentedDataset):
        positions = [(draw, index) for index in positions]
        what = f"{what} {dataset.augmentation.pipeline!r} seed {dataset.seed} draw {draw}"

    def write(file: Path) -> None:
        loader = make_loader(dataset, positions, batch_size, num_workers)
        with file.open("wb") as stream:
            np.save(stream, compute(readable_batches(loader)).numpy())

    return torch.from_numpy(np.array(memory_mapped(_key(dataset.source, what), write)))


def readable_batches(loader: DataLoader[Any]) -> Iterator[Batch]:
    """Batches of images in [0, 1]; those without a readable image are left out."""
    return ([to_unit_range(images), *rest] for images, *rest in loader if len(images))


def _key(source: ImageSource, what: str) -> str:
    digest = hashlib.sha256(f"{source.reader.fingerprint(source.rows)} {what}".encode())
    # How images are read, such as their size, shows in the pixels of any of them.
    first = source.read(0)
    digest.update(f"{first.shape}".encode())
    digest.update(np.ascontiguousarray(first).data)
    return digest.hexdigest()[:32]
