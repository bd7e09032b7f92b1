"""Checked files: each image file is looked at once before training, and then remembered."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import PIL
from filelock import FileLock

from datamodules.atomic_files import atomic_write
from datamodules.sources.cache import FOLDER, for_each
from datamodules.sources.decode import Check, check_file
from datamodules.sources.image_limits import max_pixels
from datamodules.sources.open_image import can_read_heif

NAME = "checked_files.bin"
DIGEST, RECORD = 16, 17  # bytes; the last of a record says whether the image is dark
RULES = 2  # another number has every file checked again


def check_files(files: Sequence[Path], title: str) -> list[Check]:
    """What is wrong with each file; those that were readable before are not opened again.

    A file is known by its path, size and time of change. Only good files are remembered.

    Args:
        files: The image files.
        title: Of the progress bar.
    """
    return check_all([_key(file) for file in files], lambda i: check_file(files[i]), title)


def check_all(keys: Sequence[str], check: Callable[[int], Check], title: str) -> list[Check]:
    """What is wrong with each image; those that were readable before are not looked at again.

    Args:
        keys: What tells an image and its state apart; empty for what is always looked at.
        check: Looks at the image with this index.
        title: Of the progress bar.
    """
    known = _remembered()
    digests = [_digest(key) if key else b"" for key in keys]

    def check_unknown(index: int) -> Check:
        found = known.get(digests[index])
        return check(index) if found is None else Check("", found)

    checks = for_each(range(len(keys)), check_unknown, title)
    new = {
        digest: found.is_dark
        for digest, found in zip(digests, checks, strict=True)
        if digest and not found.fault and digest not in known
    }
    if new:
        with suppress(OSError):  # a folder that cannot be written to: they are checked again
            _remember(new)
    return checks


def _key(file: Path) -> str:
    """What tells a file and its state apart; empty if there is no such file."""
    try:
        state = file.stat()
    except OSError:
        return ""
    place = os.path.abspath(file)  # noqa: PTH100 - `resolve` reads every link
    return f"{place}\0{state.st_size} {state.st_mtime_ns}"


def _digest(key: str) -> bytes:
    """Digest of a key and of everything that decides whether an image can be read."""
    readers = f"{max_pixels()} {can_read_heif()} {RULES} {cv2.__version__} {PIL.__version__}"
    content = f"{key} {readers}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def _remembered() -> dict[bytes, bool]:
    try:
        data = (FOLDER / NAME).read_bytes()
    except OSError:
        return {}
    ends = range(RECORD, len(data) + 1, RECORD)
    return {data[end - RECORD : end - 1]: bool(data[end - 1]) for end in ends}


def _remember(new: dict[bytes, bool]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / f"{NAME}.lock"), atomic_write(FOLDER / NAME) as unfinished:
        records = {**_remembered(), **new}
        unfinished.write_bytes(b"".join(key + bytes([dark]) for key, dark in records.items()))
