"""Resizing reader: small images stay small in memory and are enlarged when they are read."""

import numpy as np

from datamodules.sources.decode import Check
from datamodules.sources.resizing import resize
from datamodules.sources.source import ImageReader


class ResizedReader:
    """Images of another reader, resized.

    Args:
        reader: Reads the pixels.
        image_size: Side in pixels of the square that an image is resized to.
    """

    def __init__(self, reader: ImageReader, image_size: int) -> None:
        self.reader, self.image_size = reader, image_size

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        return resize(self.reader.read(row), self.image_size)

    def take(self, rows: np.ndarray) -> None:
        """None: images are resized one by one."""

    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> list[Check] | None:
        """See `ImageReader`."""
        return self.reader.checks(rows, title, quick)

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the original pixels and the new size."""
        return f"{self.reader.fingerprint(rows)}/{self.image_size}"

    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """Digests of the original pixels."""
        return self.reader.digests(rows)

    def blocks(self, rows: np.ndarray) -> np.ndarray | None:
        """See `ImageReader`."""
        return self.reader.blocks(rows)

    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """See `ImageReader`."""
        self.reader.fetch(blocks, num_threads)
