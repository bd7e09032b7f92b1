"""File reader: image files, decoded when they are read."""

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from datamodules.sources.cache import for_each
from datamodules.sources.checked_files import check_files
from datamodules.sources.decode import Check
from datamodules.sources.resizing import Resize, fingerprint_of
from datamodules.sources.source import MAX_BYTES
from datamodules.sources.squares import read_square
from datamodules.sources.text_array import text_array


class FileReader:
    """Image files, resized to squares of one size.

    Args:
        root: Folder that the paths are relative to.
        paths: Path of each image below the root, with forward slashes.
        image_size: Side in pixels of the square that an image is resized to.
        num_channels: 1 to read as grey, 3 as RGB.
        resize: What happens to images that are not square; see `to_square`.
    """

    def __init__(
        self,
        root: Path,
        paths: Sequence[str],
        image_size: int,
        num_channels: int,
        resize: Resize = "squeeze",
    ) -> None:
        self.root, self.paths = root, text_array(paths)
        self.resize: Resize = resize
        self.image_size, self.num_channels = image_size, num_channels

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        return read_square(self._file(row), self.image_size, self.num_channels, self.resize)

    def take(self, rows: np.ndarray) -> None:
        """None: files are read one by one."""

    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> list[Check]:
        """What is wrong with each file; see `check_files`."""
        return check_files(lambda place: self._file(rows[place]), len(rows), title, quick)

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the paths and sizes of the files, none of which is opened."""
        digest = hashlib.sha256(fingerprint_of(self.resize))
        for row, path in zip(rows, self.paths.take(rows), strict=True):
            size = _size(self._file(row))
            digest.update(f"{path}\0{size}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """Digests of the bytes of the files; None if there are more than `MAX_BYTES` of them."""
        total = 0
        for row in rows:
            total += max(_size(self._file(row)), 0)
            if total > MAX_BYTES:
                return None
        return for_each(
            range(len(rows)), lambda place: _digest(self._file(rows[place])), "comparing the images"
        )

    def blocks(self, rows: np.ndarray) -> None:
        """None: any order is equally fast."""

    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """There are no blocks."""

    def _file(self, row: int) -> str:
        return os.path.join(self.root, self.paths[row])  # noqa: PTH118 - a Path takes 5 times as long


def _size(file: str) -> int:
    """Bytes of a file; -1 if it is none."""
    with suppress(OSError):
        status = os.stat(file)  # noqa: PTH116
        return status.st_size if stat.S_ISREG(status.st_mode) else -1
    return -1


def _digest(file: str) -> bytes:
    """Digest of the bytes of a file; empty if it cannot be read."""
    with suppress(OSError):
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).digest()
    return b""


def is_file(root: Path, path: str) -> bool:
    """Whether a path below a root leads to a file; False where a name is too long for one."""
    return os.path.isfile(os.path.join(root, path))  # noqa: PTH113, PTH118


def outside(root: Path, paths: Iterable[str]) -> list[bool]:
    """Whether each path leads out of the root after following links."""
    home = root.resolve()
    folders: dict[str, bool] = {}  # results so far: resolving every path would take seconds

    def leads_out(path: str) -> bool:
        return not Path(path).resolve().is_relative_to(home)

    def leaves(path: str) -> bool:
        if os.path.islink(path):  # noqa: PTH114 - of a million paths; False if it is too long
            return leads_out(path)
        parent = os.path.dirname(path)  # noqa: PTH120
        if parent not in folders:
            folders[parent] = leads_out(parent)
        return folders[parent]

    return [leaves(os.path.join(root, path)) for path in paths]  # noqa: PTH118
