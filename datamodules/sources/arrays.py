"""Array reader: images in memory, or mapped into it from a file."""

import hashlib
from pathlib import Path

import numpy as np
import torch

MAX_BYTES = 2**31  # pixels whose digests take a few seconds


class ArrayReader:
    """Images of one array, of which all processes share a single copy.

    Args:
        images: uint8, (N, H, W, C); mapped from a `.npy` file, or in memory.
    """

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        # Pickling a tensor moves it to shared memory; NumPy would copy it, even a mapped one.
        writeable = images if images.flags.writeable else images.copy()
        self._shared = None if isinstance(images, np.memmap) else torch.from_numpy(writeable)

    def __getstate__(self) -> torch.Tensor | Path:
        return Path(str(self.images.filename)) if self._shared is None else self._shared  # pyright: ignore[reportAttributeAccessIssue]

    def __setstate__(self, state: torch.Tensor | Path) -> None:
        in_memory = isinstance(state, torch.Tensor)
        self._shared = state if in_memory else None
        self.images = state.numpy() if in_memory else np.load(state, mmap_mode="r")

    def read(self, row: int) -> np.ndarray:
        """See `ImageReader`."""
        return self.images[row]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """See `ImageReader`."""
        return self.images[rows]

    def complaint(self, row: int) -> str | None:
        """None: the images have been read already."""
        return None

    def fingerprint(self, rows: np.ndarray) -> str:
        """Digest of the pixels."""
        digest = hashlib.sha256()
        for row in rows:
            digest.update(np.ascontiguousarray(self.images[row]).data)
        return digest.hexdigest()

    def digests(self, rows: np.ndarray) -> list[bytes] | None:
        """Digests of the pixels; None if there are more than `MAX_BYTES` of them."""
        if len(rows) * self.images[:1].nbytes > MAX_BYTES:
            return None
        pixels = (np.ascontiguousarray(self.images[row]).data for row in rows)
        return [hashlib.blake2b(image, digest_size=16).digest() for image in pixels]

    def blocks(self, rows: np.ndarray) -> None:
        """None: any order is equally fast."""
