"""Derived arrays: what is computed from images once, such as features, and stored for later."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader

from datamodules.dataset import AugmentedDataset, Batch, PlainDataset, to_unit_range
from datamodules.loaders import make_loader
from datamodules.sources.cache import memory_mapped
from datamodules.sources.source import ImageSource

# Maps batches of images to the indices of images, ascending, (n,), and what was computed, (n, …).
Compute = Callable[[Iterator[Batch]], Iterator[tuple[Tensor, Tensor]]]


def derived_array(
    dataset: PlainDataset | AugmentedDataset,
    what: str,
    compute: Compute,
    draw: int | None,
    batch_size: int,
    num_workers: int,
) -> np.ndarray:
    """The array that was computed from all images of a dataset, now or at an earlier time.

    It is stored beside the decoded images, in a file named after a digest of the images and of what
    was computed. It is written row by row and mapped from its file, as it may exceed the memory.

    Args:
        dataset: The images.
        what: Names everything else that the array depends on, such as a digest of weights.
        compute: Gets batches of all readable images, on the CPU, in [0, 1]. It is not called if the
            array is stored.
        draw: Which augmented version of the images to take; None for the originals.
        batch_size: Images per batch.
        num_workers: Loader processes.

    Returns:
        (N, …), float32; NaN for an image that was not computed.
    """
    positions: list[Any] = list(range(len(dataset)))
    if draw is not None and isinstance(dataset, AugmentedDataset):
        positions = [(draw, index) for index in positions]
        what = f"{what} {dataset.augmentation.pipeline!r} seed {dataset.seed} draw {draw}"

    def write(file: Path) -> None:
        loader = make_loader(dataset, positions, batch_size, num_workers)
        with file.open("wb") as stream:
            _write_rows(stream, len(dataset), compute(readable_batches(loader)))

    return memory_mapped(_key(dataset.source, what), write)


def readable_batches(loader: DataLoader[Any]) -> Iterator[Batch]:
    """Batches of images in [0, 1]; those without a readable image are left out."""
    return ([to_unit_range(images), *rest] for images, *rest in loader if len(images))


def _write_rows(stream: BinaryIO, size: int, parts: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Write rows in NumPy's format; NaN for those that are missing."""
    done, shape = 0, ()
    for indices, rows in parts:
        if not done:
            shape = tuple(rows.shape[1:])
            header = {"descr": "<f4", "fortran_order": False, "shape": (size, *shape)}
            np.lib.format.write_array_header_1_0(stream, header)
        table = np.full((int(indices[-1]) + 1 - done, *shape), np.nan, "<f4")
        table[indices.numpy() - done] = rows.numpy()
        stream.write(table.data)
        done += len(table)
    stream.write(np.full((size - done, *shape), np.nan, "<f4").data)


def _key(source: ImageSource, what: str) -> str:
    digest = hashlib.sha256(f"{source.reader.fingerprint(source.rows)} {what}".encode())
    # How images are read, such as their size, shows in the pixels of any of them.
    first = source.read(0)
    digest.update(f"{first.shape}".encode())
    digest.update(np.ascontiguousarray(first).data)
    return digest.hexdigest()[:32]
