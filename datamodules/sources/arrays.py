"""Array reader: images in memory, or mapped into it from a file."""

import hashlib

import numpy as np
import torch

from datamodules.sources.source import MAX_BYTES, ImageSource


class ArrayReader:
    """Images of one array, of which all processes share a single copy.

    Args:
        images: uint8, (N, H, W, C); mapped from a file of NumPy's format, or in memory.
        original: What they were decoded from, in the same order; None if they are the original.
    """

    def __init__(self, images: np.ndarray, original: ImageSource | None = None) -> None:
        self.images, self.original = images, original
        # Pickling a tensor moves it to shared memory; NumPy would copy it, even a mapped one.
        self._shared = None
        if not isinstance(images, np.memmap):
            self._shared = torch.from_numpy(images if images.flags.writeable else images.copy())

    def __getstate__(self) -> torch.Tensor | str:
        return str(self.images.filename) if self._shared is None else self._shared  # pyright: ignore[reportAttributeAccessIssue]

    def __setstate__(self, state: torch.Tensor | str) -> None:
        in_memory = isinstance(state, torch.Tensor)
        self._shared, self.original = state if in_memory else None, None
        self.images = state.numpy() if in_memory else np.load(state, mmap_mode="r")

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        return self.images[row]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See `ImageReader`."""
        return self.images[rows]

    def checks(self, rows: np.ndarray, title: str, quick: bool = False) -> None:
        """None: the images have been read already."""

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the pixels."""
        digest = hashlib.sha256()
        for row in rows:
            digest.update(np.ascontiguousarray(self.images[row]).data)
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """Digests of the pixels, or of the files that they were decoded from."""
        if self.original is not None:
            return self.original.subset(rows).digests
        if len(rows) * self.images[:1].nbytes > MAX_BYTES:
            return None
        pixels = (np.ascontiguousarray(self.images[row]).data for row in rows)
        return [hashlib.blake2b(image, digest_size=16).digest() for image in pixels]

    def blocks(self, rows: np.ndarray) -> None:
        """None: any order is equally fast."""

    def fetch(self, blocks: np.ndarray, num_threads: int) -> None:
        """There are no blocks."""
