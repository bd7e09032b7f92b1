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

from filelock import FileLock, Timeout
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.sources.cache import FOLDER
from datamodules.sources.remote import StorageError, read_bytes
from datamodules.sources.shard_index import StoredFile

PIECE = 2**24  # bytes per request; at most this much is repeated after a broken connection
POLL = 0.01  # seconds between two looks at a file that another process or thread fetches


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
    target = _target(file)
    with FileLock(_lock(target), poll_interval=POLL):
        stream = _open(target) or _fetch(url, file, target, max_bytes, has_to=True)
    assert stream is not None
    return stream


def fetch_ahead(url: str, file: StoredFile, max_bytes: int) -> BinaryIO | None:
    """Open the local copy of a file that is not needed yet; see `open_cached`.

    Returns:
        The open file; None if another process is fetching it, or if the folder has no room for it.

    Raises:
        StorageError: See `open_cached`.
    """
    target = _target(file)
    try:
        with FileLock(_lock(target), timeout=0):
            return _open(target) or _fetch(url, file, target, max_bytes, has_to=False)
    except Timeout:
        return None


def _target(file: StoredFile) -> Path:
    folder = (FOLDER / "shards").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{file.sha256}{Path(file.name).suffix}"


def _lock(target: Path) -> Path:
    return target.with_suffix(".lock")


def _open(target: Path) -> BinaryIO | None:
    try:
        stream = target.open("rb")
    except FileNotFoundError:
        return None
    fcntl.flock(stream, fcntl.LOCK_SH)
    os.utime(stream.fileno())  # time of the last use, for `_make_room`
    return stream


def _fetch(
    url: str, file: StoredFile, target: Path, max_bytes: int, has_to: bool
) -> BinaryIO | None:
    unfinished, names = target.with_suffix(".part"), FileLock(target.parent / "names.lock")
    with names:
        fits = _make_room(target.parent, max_bytes - file.num_bytes)
        if not (fits or has_to):
            return None
        stream = unfinished.open("w+b")
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.truncate(file.num_bytes)  # so that other processes count its full size
    if not fits:
        rank_zero_warn(
            f"{target.parent} exceeds --data.cache_gb, because the shards in use are larger than "
            "that."
        )
    try:
        _download(url, file, stream, patient=has_to)
    except BaseException:
        with names:  # else it could vanish while another thread looks at it
            unfinished.unlink(missing_ok=True)
        stream.close()
        raise
    with names:
        unfinished.replace(target)
        fcntl.flock(stream, fcntl.LOCK_SH)
    stream.seek(0)
    return stream


def _download(url: str, file: StoredFile, stream: BinaryIO, patient: bool) -> None:
    digest, done = hashlib.sha256(), 0
    while done < file.num_bytes:
        end = min(done + PIECE, file.num_bytes)
        piece = read_bytes(url, done, end, patient)
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
            f"SHA-256 {file.sha256[:12]}, got {done} with {digest.hexdigest()[:12]}. If the shards "
            "were changed, start again; otherwise upload all of them and their index again."
        )


def _make_room(folder: Path, max_bytes: int) -> bool:
    """Delete the least recently used files, and what killed processes have left unfinished.

    Returns:
        Whether the others are within the limit; those in use are never deleted.
    """
    files = [(file.stat(), file) for file in folder.iterdir() if file.suffix != ".lock"]
    total = sum(stat.st_size for stat, _ in files)
    for stat, file in sorted(files, key=lambda pair: pair[0].st_mtime_ns):
        if (total > max_bytes or file.suffix == ".part") and not _in_use(file):
            file.unlink()
            total -= stat.st_size
    return total <= max_bytes


def _in_use(file: Path) -> bool:
    with file.open("r+b") as stream:  # some file systems lock only writable files
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
