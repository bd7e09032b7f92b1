"""File reader: image files, decoded when they are read; resizing."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from datamodules.sources.decode import file_complaint, read_image

MAX_BILINEAR = 3.0  # shrinking by a larger factor, bilinear interpolation skips pixels


class FileReader:
    """Image files, squeezed into squares of one size.

    Args:
        root: Folder that the paths are relative to.
        paths: Path of each image below the root, with forward slashes.
        image_size: Side in pixels of the square that an image is resized to.
        num_channels: 1 to read as grey, 3 as RGB.
    """

    def __init__(
        self, root: Path, paths: Sequence[str], image_size: int, num_channels: int
    ) -> None:
        self.root, self.paths = root, paths
        self.image_size, self.num_channels = image_size, num_channels

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        return resize(read_image(self.root / self.paths[row], self.num_channels), self.image_size)

    def take(self, rows: np.ndarray) -> None:
        """None: files are read one by one."""

    def complaint(self, row: int) -> str | None:
        """What the header and the end of the file show; see `file_complaint`."""
        return file_complaint(self.root / self.paths[row])

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the paths and sizes of the files; none is opened."""
        digest = hashlib.sha256()
        for path in (self.paths[int(row)] for row in rows):
            file = self.root / path
            size = file.stat().st_size if file.is_file() else -1
            digest.update(f"{path}\0{size}\n".encode())
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> None:
        """None: every file would have to be decoded."""

    def blocks(self, rows: np.ndarray) -> None:
        """None: any order is equally fast."""


def resize(image: np.ndarray, height: int, width: int | None = None) -> np.ndarray:
    """Squeeze an image (H, W, C) to a height and width; without a width, into a square.

    To shrink it, areas are first averaged by a whole factor, and the rest is interpolated
    bilinearly: six times faster than averaging areas of fractional size, which is used only for
    panoramas. Enlarging is bicubic.
    """
    width = height if width is None else width
    rows, columns, channels = image.shape
    if (rows, columns) == (height, width):
        return image
    if (factor := min(rows // height, columns // width)) > 1:
        whole = image[: rows - rows % factor, : columns - columns % factor]
        target = (columns // factor, rows // factor)
        image = cv2.resize(whole, target, interpolation=cv2.INTER_AREA)
    method = cv2.INTER_LINEAR
    if max(image.shape[0] / height, image.shape[1] / width) > MAX_BILINEAR:
        method = cv2.INTER_AREA
    elif rows < height or columns < width:
        method = cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=method)
    return resized.reshape(height, width, channels)  # OpenCV drops a single channel


def outside(root: Path, paths: Iterable[str]) -> list[bool]:
    """Whether each path leads out of the root after following links."""
    home = root.resolve()
    folders: dict[Path, bool] = {}  # results so far: resolving every path would take seconds

    def leaves(path: Path) -> bool:
        if path.is_symlink():
            return not path.resolve().is_relative_to(home)
        if path.parent not in folders:
            folders[path.parent] = not path.parent.resolve().is_relative_to(home)
        return folders[path.parent]

    return [leaves(root / path) for path in paths]
