"""Local cache of shards from a server, in a folder of limited size.

Files are named after their digest, downloaded to `<digest>.part` and renamed. Not with
`atomic_write`: the unfinished file is locked and counts towards the limit. Each reader and writer
of a file holds an advisory lock on it, which ends with its process.
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

PIECE = 2**24  # bytes per request; at most this much is repeated after a broken connection


def open_cached(url: str, file: StoredFile, max_bytes: int) -> BinaryIO:
    """Open the local copy of a file, which the first process downloads.

    Args:
        url: URL of the file.
        file: Its expected size and digest.
        max_bytes: Limit of the folder. The least recently used files are deleted, except those in
            use: if they exceed the limit, so does the folder.

    Returns:
        The open file; it is not deleted before it is closed.

    Raises:
        StorageError: If it cannot be downloaded, or has another size or digest.
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
        os.utime(stream.fileno())  # time of the last use, for `_make_room`
        return stream


def _fetch(url: str, file: StoredFile, target: Path, max_bytes: int) -> BinaryIO:
    unfinished, names = target.with_suffix(".part"), FileLock(target.parent / "names.lock")
    with names:
        _make_room(target.parent, max_bytes - file.num_bytes)
        stream = unfinished.open("w+b")
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.truncate(file.num_bytes)  # so that other processes count its full size
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
            f"{url} differs from the file in the index: expected {file.num_bytes} bytes with "
            f"SHA-256 {file.sha256[:12]}, got {done} with {digest.hexdigest()[:12]}. Upload all "
            "shards and their index again."
        )


def _make_room(folder: Path, max_bytes: int) -> None:
    """Delete the least recently used files until the total is within the limit."""
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
            f"{folder} exceeds --data.cache_gb, because the shards in use are larger than that."
        )


def _in_use(file: Path) -> bool:
    with file.open("r+b") as stream:  # some file systems lock only writable files
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
