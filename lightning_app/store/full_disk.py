"""Full disk: an error that names the disk, instead of one from inside of a library."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, quota, largest file
RESERVE = 2**20  # bytes; where fewer are free, a failed write is put down to the disk


class DiskFullError(ValueError):
    """A file could not be written because its disk is full; the message names both."""


@contextmanager
def disk_full_is_an_error(file: Path) -> Iterator[None]:
    """Raise `DiskFullError` if the block fails because the disk of a file is full.

    Torch reports it as a RuntimeError, so the causes of an error are searched, and the free space.

    Args:
        file: The file that the block writes.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        free = shutil.disk_usage(_existing(file)).free
        if _is_full(error) or (isinstance(error, RuntimeError) and free < RESERVE):
            raise DiskFullError(_message(file, free)) from error
        raise


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def _message(file: Path, free: int) -> str:
    folder = _existing(file)
    usage = shutil.disk_usage(folder)
    there = " What was there before is intact." if file.exists() else ""
    return (
        f"The disk of {folder.resolve()} is full, or a limit of its files is reached: {file.name} "
        f"could not be written ({free / 2**20:,.0f} of {usage.total / 2**20:,.0f} MiB are "
        f"free).{there} Free some space, then resume with --ckpt_path last."
    )


def _existing(file: Path) -> Path:
    """The nearest folder above a file that exists."""
    return next(folder for folder in file.absolute().parents if folder.is_dir())
