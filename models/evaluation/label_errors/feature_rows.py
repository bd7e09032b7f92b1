"""Rows of features, read in chunks from memory or from files that may exceed it."""

import mmap
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

CHUNK = 2**24  # numbers in memory at once: 64 MB


class FeatureRows:
    """Features of N images, read as they are needed.

    Args:
        parts: Arrays (n, D) one after the other, in memory or mapped from files.
        chosen: The rows of each that count, (m,); None for all.

    Attributes:
        width: Number of features D.
    """

    def __init__(
        self, parts: Sequence[Tensor | np.ndarray], chosen: Sequence[Tensor] | None = None
    ) -> None:
        self._parts = parts
        self._chosen = chosen or [torch.arange(len(part)) for part in parts]
        self._ends = torch.tensor([len(rows) for rows in self._chosen]).cumsum(0)
        self.width = parts[0].shape[1]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, rows: Tensor) -> Tensor:
        """The features of these images, (n, D), float32."""
        found = torch.empty(len(rows), self.width)
        which = torch.searchsorted(self._ends, rows, right=True)
        starts = torch.cat([torch.zeros(1, dtype=torch.int64), self._ends])
        for number, (part, chosen) in enumerate(zip(self._parts, self._chosen, strict=True)):
            own = (which == number).nonzero().flatten()
            if len(own):
                found[own] = _rows_of(part, chosen[rows[own] - starts[number]])
        return found


def finite_rows(features: np.ndarray) -> Tensor:
    """Which rows of an array (N, D) have finite numbers alone, (N,), bool; read in chunks."""
    chunks = torch.arange(len(features)).split(max(1, CHUNK // features.shape[1]))
    return torch.cat([_rows_of(features, rows).isfinite().all(dim=1) for rows in chunks])


def _rows_of(part: Tensor | np.ndarray, rows: Tensor) -> Tensor:
    if isinstance(part, Tensor):
        return part[rows].float()
    found = torch.from_numpy(np.array(part[rows.numpy()], np.float32))
    if (file := getattr(part, "_mmap", None)) is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)  # or all that was ever read would count as our memory
    return found
