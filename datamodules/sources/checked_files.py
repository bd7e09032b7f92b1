"""Checked files: each image file is looked at once before training, and then remembered."""

import hashlib
import os
from collections.abc import Sequence
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
RULES = 1  # another number has every file checked again


def check_files(files: Sequence[Path], title: str) -> list[Check]:
    """What is wrong with each file; those that were readable before are not opened again.

    A file is known by its path, size and time of change. Only good files are remembered.

    Args:
        files: The image files.
        title: Of the progress bar.
    """
    known = _remembered()
    keys = [_key(file) for file in files]

    def check(index: int) -> Check:
        found = known.get(keys[index])
        return check_file(files[index]) if found is None else Check("", found)

    checks = for_each(range(len(files)), check, title)
    new = {
        key: found.is_dark
        for key, found in zip(keys, checks, strict=True)
        if key and not found.fault and key not in known
    }
    if new:
        with suppress(OSError):  # a folder that cannot be written to: they are checked again
            _remember(new)
    return checks


def _key(file: Path) -> bytes:
    """Digest of what tells a file and its state apart; empty if there is no such file."""
    try:
        state = file.stat()
    except OSError:
        return b""
    place = os.fsencode(os.path.abspath(file))  # noqa: PTH100 - `resolve` reads every link
    facts = f"{state.st_size} {state.st_mtime_ns} {max_pixels()} {can_read_heif()} {RULES}"
    readers = f"{cv2.__version__} {PIL.__version__}"
    return hashlib.blake2b(place + f"\0{facts} {readers}".encode(), digest_size=DIGEST).digest()


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
