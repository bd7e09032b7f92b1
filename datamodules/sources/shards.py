"""Shard reader: images in WebDataset tar files, read by position.

WebDataset's own reader streams: its order depends on the workers, and it cannot resume in the
middle of an epoch. Its indexed reader, `wids`, was removed from the package in 1.0.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from datamodules.sources.remote import StorageError, is_remote, read_bytes
from datamodules.sources.resizing import Resize, fingerprint_of
from datamodules.sources.shard_index import INDEX, ShardIndex, StoredFile, parse_index
from datamodules.sources.squares import decode_square
from datamodules.sources.text_array import TextArray
from datamodules.splits.sampler import WINDOW


@dataclass(frozen=True)
class ShardStore:
    """The folder or URL of shards and their index.

    Attributes:
        root: The folder or URL.
        max_bytes: Limit of the local copies, if it is a URL.
    """

    root: str
    max_bytes: int

    def index(self) -> ShardIndex:
        """Read the index.

        Raises:
            ValueError: If there is none or it is invalid, or a local file that it lists is missing
                or has another size.
        """
        place = self._place(INDEX)
        if is_remote(self.root):
            return parse_index(read_bytes(place), place)
        if not Path(place).is_file():
            raise StorageError(
                f"There is no {place}: name the folder or URL that `lightning_cli prepare shard` "
                "wrote with --data.root."
            )
        index = parse_index(Path(place).read_bytes(), place)
        for split in index.splits.values():
            for file in (split.table, *split.shards):
                self.open(file).close()
        return index

    def open(self, file: StoredFile) -> BinaryIO:
        """Open a file, or its local copy if it is at a URL.

        Raises:
            StorageError: If it is missing, cannot be downloaded, or has the wrong content.
        """
        place = self._place(file.name)
        if is_remote(self.root):
            from datamodules.sources.shard_cache import (
                open_cached,  # needs fcntl, which Windows lacks
            )

            return open_cached(place, file, self.max_bytes)
        size = Path(place).stat().st_size if Path(place).is_file() else "no file"
        if size != file.num_bytes:
            raise StorageError(f"{place}: expected {file.num_bytes} bytes, found {size}.")
        return Path(place).open("rb")

    def fetch(self, files: Sequence[StoredFile], num_threads: int) -> None:
        """Fetch files from a URL in the background, in threads of this process.

        Args:
            files: What is read next; what was asked for before is not fetched any more.
            num_threads: How many are fetched at the same time.
        """
        if is_remote(self.root):
            from datamodules.sources.shard_fetcher import Shard, fetcher  # needs fcntl, too

            shards = [Shard(self._place(file.name), file, self.max_bytes) for file in files]
            fetcher(num_threads).want(shards)

    def _place(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"


class ShardReader:
    """Images of one split in shards, resized to squares of one size.

    Args:
        store: Folder or URL of the shards.
        shards: The files, in the order of their numbers.
        images: One row per image; see `SplitIndex.table`.
        image_size: Side in pixels of the square that an image is resized to.
        num_channels: 1 to read as grey, 3 as RGB.
        resize: What happens to images that are not square; see `to_square`.
    """

    def __init__(
        self,
        store: ShardStore,
        shards: Sequence[StoredFile],
        images: Any,
        image_size: int,
        num_channels: int,
        resize: Resize = "squeeze",
    ) -> None:
        self.store, self.shards = store, shards
        self.resize: Resize = resize
        self.names = TextArray(images["name"])
        self.extensions = list(map(sys.intern, images["extension"]))  # a few strings, not millions
        self.places = images[["shard", "offset", "size"]].to_numpy(np.int64)
        self.image_size, self.num_channels = image_size, num_channels
        self._check_places()

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        name = f"{self.shards[self.places[row, 0]].name}: {self.names[row]}"
        data = self.encoded(row)
        return decode_square(data, self.image_size, self.num_channels, self.resize, name)

    def encoded(self, row: int) -> bytes:
        """The bytes of the image file.

        Raises:
            StorageError: If the shard cannot be opened.
        """
        shard, offset, size = self.places[row].tolist()
        return _opened(self.store, self.shards[shard]).read(offset, size)

    def _check_places(self) -> None:
        """Refuse places outside the shards, of which one could ask for any amount of memory."""
        shard, offset, size = self.places.T
        num_bytes = np.array([file.num_bytes for file in self.shards], np.int64)
        outside = (shard < 0) | (shard >= len(num_bytes)) | (offset < 0) | (size < 0)
        if outside.any() or (size > num_bytes[shard] - offset).any():  # a sum could overflow
            raise StorageError(
                f"{self.store.root}: the index places images outside of its shards; write it again "
                "with `lightning_cli prepare shard`."
            )

    def take(self, rows: np.ndarray) -> None:
        """None: images are read one by one."""

    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> None:
        """None: images were checked when they were written, shards when the index was read."""

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the digests of the shards and the positions of the images in them."""
        digest = hashlib.sha256("\n".join(shard.sha256 for shard in self.shards).encode())
        digest.update(self.places[rows].tobytes() + fingerprint_of(self.resize))
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> None:
        """None: every file would have to be decoded."""

    def blocks(self, rows: np.ndarray) -> np.ndarray:
        """Number of the shard of each image."""
        return self.places[rows, 0]

    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """Fetch shards in the background, if they are at a URL."""
        self.store.fetch([self.shards[block] for block in blocks.tolist()], num_threads)


class _OpenShard:
    """An open file without a read position, so that threads and forked processes can share it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self.stream.fileno(), size, offset)

    def __del__(self) -> None:
        self.stream.close()


@lru_cache(WINDOW)  # shards shuffled together; outside the reader, so that it can be pickled
def _opened(store: ShardStore, shard: StoredFile) -> _OpenShard:
    return _OpenShard(store.open(shard))
