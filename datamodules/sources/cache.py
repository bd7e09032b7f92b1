"""Cache of decoded images, in memory or in a file that all processes map."""

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from datamodules.atomic_files import atomic_write
from datamodules.sources.source import ImageSource
from datamodules.sources.squares import READING

FOLDER = Path("mlruns/cache")  # inside the folder of runs, which git ignores
THREADS = 8  # decoding releases the interpreter lock; network drives serve requests in parallel
CHUNK = 64  # indices that a thread takes at a time: to hand over one takes 0.1 ms
PATIENCE = 2.0  # seconds before a progress bar appears

log = logging.getLogger(__name__)


def cached(source: ImageSource, where: Literal["none", "ram", "disk"]) -> ImageSource:
    """Decode all images of a source once.

    Args:
        source: Images of one size.
        where: `none` does not cache. `ram` keeps the images in memory that all processes of a
            machine share. `disk` keeps them in `FOLDER`, in a file named after a digest of the
            files, which later runs reuse.
    """
    # These import torch, which `prepare check` does not need.
    from datamodules.sources.arrays import ArrayReader
    from datamodules.sources.shared_memory import shared_array

    if where == "none" or isinstance(source.reader, ArrayReader):
        return source
    shape = (len(source), *source.read(0).shape)
    if where == "ram":
        images = shared_array(shape, partial(_fill, source))
    else:
        key = hashlib.sha256(f"{source.reader.fingerprint(source.rows)}{shape}{READING}".encode())

        def write(file: Path) -> None:
            array = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
            _fill(source, array, range(len(source)))
            array.flush()

        images = memory_mapped(key.hexdigest()[:32], write)
    return replace(source, reader=ArrayReader(images, source), rows=np.arange(len(source)))


def memory_mapped(key: str, write: Callable[[Path], None]) -> np.ndarray:
    """The array stored under a key, mapped from its file, which is written if it is missing.

    Args:
        key: Name of the file in `FOLDER`; another content needs another key.
        write: Writes the array in NumPy's format to the given path; called by one process while
            the others wait.
    """
    file = FOLDER / f"{key}.npy"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        if not file.is_file():
            with atomic_write(file) as unfinished:
                write(unfinished)
            log.info("%s holds what was computed; it can be deleted.", file)
    return np.load(file, mmap_mode="r")


def for_each(indices: range, work: Callable[[int], Any], title: str) -> list[Any]:
    """The results of `work` for each index, in order; several threads and a progress bar."""
    parts = [indices[first : first + CHUNK] for first in range(0, len(indices), CHUNK)]
    found: list[Any] = []
    with (
        ThreadPoolExecutor(THREADS) as pool,
        tqdm(None, title, len(indices), delay=PATIENCE, unit="img", leave=False) as progress,
    ):
        for results in pool.map(lambda part: list(map(work, part)), parts):
            found += results
            progress.update(len(results))
    return found


def _fill(source: ImageSource, images: np.ndarray, indices: range) -> None:
    def decode(index: int) -> None:
        images[index] = source.read(index)

    for_each(indices, decode, "decoding")
