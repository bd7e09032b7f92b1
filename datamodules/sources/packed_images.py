"""Packed images: the image files in a column of Parquet or Arrow files.

They are copied once into one file of the cache, where each is found by its position: to read one
image of a Parquet file, all others of its row group have to be unpacked.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from datamodules.atomic_files import atomic_write
from datamodules.sources.arrow_files import arrow_files, batches, check_size
from datamodules.sources.cache import FOLDER, PATIENCE, for_each
from datamodules.sources.checked_files import check_all
from datamodules.sources.decode import Check, check_data
from datamodules.sources.file_ends import HEAD, SOUND_ENDS
from datamodules.sources.jpeg import LAST
from datamodules.sources.jpeg_pixels import has_sound_ends
from datamodules.sources.resizing import Resize, fingerprint_of
from datamodules.sources.source import MAX_BYTES
from datamodules.sources.squares import decode_square
from datamodules.sources.text_array import text_array


def pack(place: Path, column: str) -> Path:
    """Copy the images of a column into one file, once; return that file.

    It holds the images one after the other, where each ends, (N,) int64, and N.

    Args:
        place: See `arrow_files`.
        column: The column, of bytes or of `{bytes, path}`; a row may have no image.

    Raises:
        ValueError: If a file is damaged, or holds far more than its size allows.
    """
    files = arrow_files(place)
    states = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    key = hashlib.sha256(repr((states, column)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    target = FOLDER / "packed" / f"{key}.bin"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not target.is_file():
            with atomic_write(target) as unfinished:
                _write(unfinished, files, column)
    return target


class PackedReader:
    """Images in packed files, resized to squares of one size.

    Args:
        packs: The files; see `pack`.
        places: File and number of each image, (N, 2) int64.
        names: Where each image is, for messages, such as `train.parquet, row 3`.
        image_size: Side in pixels of the square that an image is resized to.
        num_channels: 1 to read as grey, 3 as RGB.
        resize: What happens to images that are not square; see `to_square`.
    """

    def __init__(
        self,
        packs: Sequence[Path],
        places: np.ndarray,
        names: Sequence[str],
        image_size: int,
        num_channels: int,
        resize: Resize = "squeeze",
    ) -> None:
        self.packs, self.places, self.names = packs, places, text_array(names)
        self.resize: Resize = resize
        self.image_size, self.num_channels = image_size, num_channels

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        data, name = self.encoded(row), self.names[row]
        return decode_square(data, self.image_size, self.num_channels, self.resize, name)

    def encoded(self, row: int) -> bytes:
        """The bytes of the image file; empty if the row has none."""
        return self._content(row).tobytes()

    def _content(self, row: int) -> np.ndarray:
        pack, number = self.places[row].tolist()
        data, ends = _opened(self.packs[pack])
        return data[ends[number] : ends[number + 1]]

    def take(self, rows: np.ndarray) -> None:
        """None: images are read one by one."""

    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> list[Check]:
        """What is wrong with each image; good ones are remembered, as in `check_files`."""

        def check(row: int) -> Check:
            content = self._content(row)
            head, tail = content[:HEAD].tobytes(), content[-len(LAST) :].tobytes()
            if quick and len(content) > HEAD and has_sound_ends(head, tail, len(content)):
                return SOUND_ENDS
            return check_data(content.tobytes(), self.names[row])

        def look_at(index: int) -> tuple[str, Callable[[], Check]]:
            return self._key(row := int(rows[index])), partial(check, row)

        return check_all(len(rows), look_at, title, quick)

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the names of the packed files, which stand for their content, and the rows."""
        digest = hashlib.sha256("\n".join(pack.name for pack in self.packs).encode())
        digest.update(self.places[rows].tobytes() + fingerprint_of(self.resize))
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """Digests of the bytes of the images; None if there are more than `MAX_BYTES`."""
        if sum(pack.stat().st_size for pack in self.packs) > MAX_BYTES:
            return None
        return for_each(
            range(len(rows)),
            lambda i: hashlib.blake2b(self.encoded(int(rows[i])), digest_size=16).digest(),
            "comparing the images",
        )

    def blocks(self, rows: np.ndarray) -> None:
        """None: any order is equally fast."""

    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """There are no blocks."""

    def _key(self, row: int) -> str:
        pack, number = self.places[row].tolist()
        return f"{self.packs[pack].name} {number}"


def _write(target: Path, files: Sequence[Path], column: str) -> None:
    ends, place = [0], 0
    with target.open("wb") as stream, tqdm(desc="copying the images", delay=PATIENCE) as bar:
        for file in files:
            start = place
            for data in _images(file, column):
                place += stream.write(data)
                ends.append(place)
                check_size(file, place - start)
                bar.update()
        stream.write(np.array([*ends, len(ends)], "<i8").tobytes())


def _images(file: Path, column: str) -> Iterator[bytes]:
    for batch in batches(file, [column]):
        for value in batch.column(0):
            content: Any = value.as_py()
            yield (content.get("bytes") if isinstance(content, dict) else content) or b""


@lru_cache(16)  # outside the reader, so that it can be pickled
def _opened(pack: Path) -> tuple[np.memmap, np.ndarray]:
    """The bytes of a packed file, and where each image begins, with the end of the last."""
    data = np.memmap(pack, np.uint8, "r")
    count = int(data[-8:].view("<i8")[0])
    return data, data[-8 * (count + 1) : -8].view("<i8").copy()
