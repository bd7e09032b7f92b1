"""Limits of image files, checked before any decoder sees them: kind of file, bytes and pixels."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LIMIT = (
    "LIGHTNING_CLI_MAX_PIXELS"  # environment variable, which loader processes and `ablate` share
)
MAX_PIXELS = 100_000_000  # the default: a file of 633 bytes can ask for a gigabyte
POSSIBLE = 2**30  # OpenCV reads no more
BYTES_PER_PIXEL = 16  # of the largest uncompressed format, four channels of 32 bits
MAX_SEGMENTS = 10_000  # of a JPEG that are searched for its size

OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class UnreadableImageError(ValueError):
    """An image that cannot be read; the message names the file and the reason."""


class MissingImageError(UnreadableImageError):
    """A file that is not there, or cannot be opened or read."""


class UnsupportedImageError(UnreadableImageError):
    """A whole image of a kind that is not read."""


def max_pixels() -> int:
    """The largest number of pixels that an image may have.

    Raises:
        ValueError: If the environment variable `LIGHTNING_CLI_MAX_PIXELS` is not a possible number.
    """
    value = os.environ.get(LIMIT)
    if value is None:
        return MAX_PIXELS
    if not value.isdecimal() or not 1 <= int(value) <= POSSIBLE:
        raise ValueError(f"{LIMIT} is {value!r}; expected a number of pixels, 1 to {POSSIBLE:,}.")
    return int(value)


def check_pixels(width: int, height: int, name: str) -> None:
    """Refuse an image that is too large.

    Raises:
        UnreadableImageError: If it has more than `max_pixels`.
    """
    if width * height > (limit := max_pixels()):
        possible = width * height <= POSSIBLE
        hint = f" To read it, set {LIMIT}={width * height}." if possible else ""
        raise UnreadableImageError(
            f"{name} has {width} x {height} pixels, more than {limit:,}.{hint}"
        )


def open_file(file: Path | str) -> BinaryIO:
    """Open a regular file. A named pipe would wait for a writer, and a device may never end.

    Raises:
        UnreadableImageError: If it is something else, or larger than any image may be.
        OSError: If it cannot be opened.
    """
    return os.fdopen(_open(file)[0], "rb")


def read_file(file: Path | str) -> bytes:
    """The content of a regular file.

    Raises:
        UnreadableImageError: If it cannot be read; see `open_file`.
    """
    return read_parts(file, POSSIBLE * BYTES_PER_PIXEL, 0)[0]


def read_parts(file: Path | str, head: int, tail: int) -> tuple[bytes, bytes, int]:
    """The first and last bytes of a regular file, and its size.

    Args:
        file: The file.
        head: How many bytes to read from its start.
        tail: How many to read from its end; all there are, if it has less.

    Raises:
        UnreadableImageError: If it cannot be read; see `open_file`.
    """
    try:
        descriptor, size = _open(file)  # a file object would take a third more time
        try:
            first = _read(descriptor, min(head, size))
            os.lseek(descriptor, max(0, size - tail), os.SEEK_SET)
            return first, _read(descriptor, min(tail, size)), size
        finally:
            os.close(descriptor)
    except OSError as error:
        raise MissingImageError(missing(file, error)) from None


def _read(descriptor: int, number: int) -> bytes:
    """So many bytes; less at the end of the file. A network drive may return them in pieces."""
    data = os.read(descriptor, number)
    while len(data) < number and (more := os.read(descriptor, number - len(data))):
        data += more
    return data


def _open(file: Path | str) -> tuple[int, int]:
    """The descriptor of a file, and its size; see `open_file`."""
    descriptor = os.open(file, OPEN)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= BYTES_PER_PIXEL * max_pixels():
        return descriptor, status.st_size
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISREG(status.st_mode):
        raise UnreadableImageError(
            f"{file} has {status.st_size:,} bytes, more than an image of {max_pixels():,} pixels "
            f"needs; {LIMIT} raises the limit."
        )
    raise UnreadableImageError(f"{file} is not a file, but a named pipe or a device.")


def missing(file: Path | str, error: OSError) -> str:
    """Message about a file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return f"There is no image file {file}."
    return f"{file} cannot be read: {error.strerror}."


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the header of a JPEG file, in a few microseconds; None if it has none."""
    place = 2
    for _ in range(MAX_SEGMENTS):
        place = data.find(b"\xff", place)
        if place < 0 or place + 9 > len(data):
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD9:  # without a length
            place += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of the frame
            height, width = (int.from_bytes(data[place + at : place + at + 2]) for at in (5, 7))
            return width, height
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None
