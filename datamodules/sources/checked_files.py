"""Checked files: each image file is looked at once before training, and then remembered."""

import hashlib
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import cv2
import numpy as np
import PIL
from filelock import FileLock

from datamodules.atomic_files import atomic_write
from datamodules.sources.cache import FOLDER, for_each
from datamodules.sources.decode import GOOD, Check, check_file
from datamodules.sources.file_ends import SOUND_ENDS, check_ends
from datamodules.sources.image_limits import max_pixels
from datamodules.sources.open_image import can_read_heif

NAME = "checked_files.bin"
DIGEST = 16  # bytes
RECORDS = np.dtype([("first", "<u8"), ("second", "<u8"), ("found", "u1")])
FOUND = (GOOD, Check(is_dark=True), SOUND_ENDS)  # by the number in a record: full checks come first
RULES = 3  # another number has every file checked again


def check_files(
    file: Callable[[int], str], number: int, title: str, quick: bool = False
) -> list[Check]:
    """What is wrong with each file; those that were readable before are not opened again.

    A file is known by its path, size and time of change. Only good files are remembered.

    Args:
        file: The path of the file with this index.
        number: How many there are.
        title: Of the progress bar.
        quick: Whether the ends of JPEG files are enough; see `check_ends`.
    """
    check = check_ends if quick else check_file

    def look_at(index: int) -> tuple[str, Callable[[], Check]]:
        return _key(path := file(index)), partial(check, path)

    return check_all(number, look_at, title, quick)


def check_all(
    number: int,
    look_at: Callable[[int], tuple[str, Callable[[], Check]]],
    title: str,
    quick: bool = False,
) -> list[Check]:
    """What is wrong with each image; those that were readable before are not looked at again.

    Args:
        number: How many images there are.
        look_at: For the image with this index: what tells it and its state apart, empty for what is
            always checked; and what checks it.
        title: Of the progress bar.
        quick: Whether images of which only the ends were looked at are not looked at again.
    """
    known, readers = _Remembered(), _readers()
    new = bytearray()

    def check_one(index: int) -> Check:
        key, check = look_at(index)
        digest = _digest(key, readers) if key else b""
        if digest and (before := known.find(digest)) and (quick or not before.ends_only):
            return before
        found = check()
        if digest and not found.fault:
            new.extend(digest + bytes([FOUND.index(found)]))  # at once: other threads do the same
        return found

    checks = for_each(range(number), check_one, title)
    if new:
        with suppress(OSError):  # a folder that cannot be written to: they are checked again
            _remember(bytes(new))
    return checks


def _key(file: str) -> str:
    """What tells a file and its state apart; empty if there is no such file."""
    try:
        state = os.stat(file)  # noqa: PTH116
    except OSError:
        return ""
    place = os.path.abspath(file)  # noqa: PTH100 - `resolve` reads every link
    return f"{place}\0{state.st_size} {state.st_mtime_ns}"


def _readers() -> bytes:
    """Everything beside the image that decides whether it can be read."""
    readers = f" {max_pixels()} {can_read_heif()} {RULES} {cv2.__version__} {PIL.__version__}"
    return readers.encode()


def _digest(key: str, readers: bytes) -> bytes:
    content = key.encode("utf-8", "surrogateescape") + readers
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


class _Remembered:
    """The images that were readable, in a sorted array: a dictionary takes ten times the memory."""

    def __init__(self) -> None:
        records = np.frombuffer(_records(), RECORDS)
        order = np.argsort(records["first"], kind="stable")
        self.first, self.records = records["first"][order], records[order]

    def find(self, digest: bytes) -> Check | None:
        """What was found; None if it is not remembered."""
        first, second = struct.unpack("<QQ", digest)
        place = int(self.first.searchsorted(np.uint64(first)))
        if place < len(self.first) and self.first[place] == first:
            record = self.records[place]
            return FOUND[record["found"]] if record["second"] == second else None
        return None


def _records() -> bytes:
    """The whole records of the file; nothing if there is none."""
    try:
        data = (FOLDER / NAME).read_bytes()
    except OSError:
        return b""
    return data[: len(data) // RECORDS.itemsize * RECORDS.itemsize]


def _remember(new: bytes) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / f"{NAME}.lock"), atomic_write(FOLDER / NAME) as unfinished:
        records = np.frombuffer(_records() + new, RECORDS)  # another process may have added some
        unfinished.write_bytes(np.unique(records).tobytes())
