"""Images that are resized when they are read: small ones in memory, enlarged, would not fit."""

import numpy as np

from datamodules.sources.files import resize
from datamodules.sources.source import ImageReader


class ResizedReader:
    """What another reader reads, in another size.

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
        """One by one."""

    def complaint(self, row: int) -> str | None:
        """See `ImageReader`."""
        return self.reader.complaint(row)

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the pixels as they were, and the size."""
        return f"{self.reader.fingerprint(rows)}/{self.image_size}"

    def blocks(self, rows: np.ndarray) -> np.ndarray | None:
        """See `ImageReader`."""
        return self.reader.blocks(rows)
