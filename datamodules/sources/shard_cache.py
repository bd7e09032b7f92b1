"""Files of a server, kept on this machine in a folder that does not outgrow its bound.

Files are named after their digest, fetched to `<digest>.part` and renamed. Whoever reads or writes
a file holds an advisory lock on it, which ends with the process, however that ends.
"""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.sources.cache import FOLDER
from datamodules.sources.remote import StorageError, read_bytes
from datamodules.sources.shard_index import StoredFile

PIECE = 2**24  # bytes that are asked for at a time; what a broken connection costs


def open_cached(url: str, file: StoredFile, max_bytes: int) -> BinaryIO:
    """Open the local copy of a file, which the first of all processes fetches.

    Args:
        url: Where it lies.
        file: What it should be.
        max_bytes: Bound of the folder. Files that were not used for longest are deleted, but none
            that is being read: if those alone are larger, so is the folder.

    Returns:
        The open file; as long as it is, it will not be deleted.

    Raises:
        StorageError: If it cannot be fetched, or is not what it should be.
    """
    folder = FOLDER / "shards"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file.sha256}{Path(file.name).suffix}"
    with FileLock(target.with_suffix(".lock")):
        try:
            stream = target.open("rb")
        except FileNotFoundError:
            return _fetch(url, file, target, max_bytes)
        fcntl.flock(stream, fcntl.LOCK_SH)
        os.utime(stream.fileno())  # the last time that it was opened, for `_make_room`
        return stream


def _fetch(url: str, file: StoredFile, target: Path, max_bytes: int) -> BinaryIO:
    unfinished, names = target.with_suffix(".part"), FileLock(target.parent / "names.lock")
    with names:
        _make_room(target.parent, max_bytes - file.num_bytes)
        stream = unfinished.open("w+b")
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.truncate(file.num_bytes)  # so that others count it in full
    try:
        _download(url, file, stream)
    except BaseException:
        stream.close()
        unfinished.unlink()
        raise
    with names:
        unfinished.replace(target)
        fcntl.flock(stream, fcntl.LOCK_SH)
    stream.seek(0)
    return stream


def _download(url: str, file: StoredFile, stream: BinaryIO) -> None:
    digest, done = hashlib.sha256(), 0
    while done < file.num_bytes:
        end = min(done + PIECE, file.num_bytes)
        piece = read_bytes(url, done, end)
        try:
            stream.write(piece)
            stream.flush()
        except OSError as error:
            raise StorageError(
                f"{FOLDER / 'shards'} cannot be written: {error.strerror}."
            ) from None
        digest.update(piece)
        done += len(piece)
        if done < end:  # the file is shorter
            break
    if (done, digest.hexdigest()) != (file.num_bytes, file.sha256):
        raise StorageError(
            f"{url} is not the file that the index lists: expected {file.num_bytes} bytes with "
            f"SHA-256 {file.sha256[:12]}, got {done} with {digest.hexdigest()[:12]}. Upload the "
            "shards and their index once more, all of them."
        )


def _make_room(folder: Path, max_bytes: int) -> None:
    """Delete what was not used for longest until the files are small enough in all."""
    files = [(file.stat(), file) for file in folder.iterdir() if file.suffix != ".lock"]
    total = sum(stat.st_size for stat, _ in files)
    for stat, file in sorted(files, key=lambda pair: pair[0].st_mtime_ns):
        if total <= max_bytes:
            return
        if not _in_use(file):
            file.unlink()
            total -= stat.st_size
    if total > max_bytes:
        rank_zero_warn(
            f"{folder} outgrows --data.cache_gb: the shards being read at once are larger in all."
        )


def _in_use(file: Path) -> bool:
    with file.open("r+b") as stream:  # some file systems lock only what may be written
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
