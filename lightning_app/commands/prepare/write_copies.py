"""Writing of copies in several processes; a later run resumes where an earlier one stopped."""

import hashlib
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from tqdm import tqdm

from datamodules.atomic_files import atomic_write
from datamodules.augmentation.pipeline import Augmentation
from datamodules.sources.cache import PATIENCE
from datamodules.sources.decode import UnreadableImageError, file_complaint, read_image
from datamodules.sources.resizing import resize
from lightning_app.commands.prepare.copies import Copy

CHUNK = 16  # copies per task of a process
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


@dataclass(frozen=True)
class Writing:
    """How copies are made, and the folders of the originals and the copies.

    Attributes:
        root: Folder of the originals.
        out: Folder of the copies.
        preset: Name of a preset, or a YAML file.
        image_size: Side in pixels of the square that all but test images are squeezed to; None
            keeps their sizes.
        seed: Another seed gives other copies.
    """

    root: Path
    out: Path
    preset: str
    image_size: int | None
    seed: int


def target(copy: Copy, writing: Writing) -> str:
    """Path of a copy below the folder of the copies, with forward slashes."""
    suffix = PurePosixPath(copy.original).suffix
    if not _is_unchanged(copy, writing):
        suffix = ".png" if suffix.lower() == ".png" else ".jpg"
    return f"images/{copy.label}/{copy.stem}{suffix}"


def write_copies(copies: Sequence[Copy], writing: Writing, processes: int) -> None:
    """Write all missing copies; their bytes do not depend on the number of processes.

    Raises:
        ValueError: If originals cannot be read.
    """
    missing = [copy for copy in copies if not (writing.out / target(copy, writing)).is_file()]
    write = partial(write_copy, writing=writing)
    if processes == 1:
        complaints = _with_progress(map(write, missing), len(missing))
    else:
        with ProcessPoolExecutor(processes, initializer=_start_process) as pool:
            complaints = _with_progress(pool.map(write, missing, chunksize=CHUNK), len(missing))
    if complaints:
        raise ValueError(
            f"{len(complaints)} images cannot be read, such as\n  {complaints[0]}\n"
            "Fix or delete them; `lightning_cli prepare check` lists all of them."
        )


def _start_process() -> None:
    cv2.setNumThreads(0)  # OpenCV's own threads do not survive a fork
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles Ctrl-C


def write_copy(copy: Copy, writing: Writing) -> str | None:
    """Write one copy; returns why its original cannot be read, else None."""
    original, file = writing.root / copy.original, writing.out / target(copy, writing)
    if _is_unchanged(copy, writing):
        if complaint := file_complaint(original):
            return complaint
        with atomic_write(file) as unfinished:
            shutil.copyfile(original, unfinished)
        return None
    try:
        image = read_image(original, num_channels=3)
    except UnreadableImageError as error:
        return str(error)
    image = resize(image, writing.image_size) if writing.image_size else image
    if copy.number:
        image = _augmentation(writing.preset)(image, _seed(copy, writing.seed))
    with atomic_write(file) as unfinished:
        unfinished.write_bytes(_encode(image, file.suffix))
    return None


def _is_unchanged(copy: Copy, writing: Writing) -> bool:
    """Whether the file is copied byte for byte."""
    return copy.split == "test" or (copy.number == 0 and writing.image_size is None)


def _with_progress(complaints: Iterator[str | None], total: int) -> list[str]:
    bar = tqdm(complaints, "augmenting", total, delay=PATIENCE, unit="img", leave=False)
    return [complaint for complaint in bar if complaint]


@cache
def _augmentation(preset: str) -> Augmentation:
    """Read a preset once per process."""
    return Augmentation(preset)


def _seed(copy: Copy, seed: int) -> int:
    digest = hashlib.sha256(f"{seed}/{copy.original}/{copy.number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _encode(image: np.ndarray, suffix: str) -> bytes:
    parameters = QUALITY if suffix == ".jpg" else []
    _, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    return data.tobytes()
