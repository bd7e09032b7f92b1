"""Labelled images, and what reads their pixels."""

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

UNLABELLED = -1  # label of an image whose class is not known: it can be predicted, not scored


class ImageReader(Protocol):
    """Where pixels come from: rows of images, all of one size once they are read."""

    @abstractmethod
    def read(self, row: int) -> np.ndarray:
        """The image as uint8 (H, W, C).

        Raises:
            UnreadableImageError: If it cannot be read.
        """

    @abstractmethod
    def take(self, rows: np.ndarray) -> np.ndarray | None:
        """The images (N, H, W, C) at once, where that is cheaper than one by one."""

    @abstractmethod
    def complaint(self, row: int) -> str | None:
        """What is wrong with an image, as far as that can be told without decoding it."""

    @abstractmethod
    def fingerprint(self, rows: np.ndarray) -> str:
        """A digest that changes when one of the images does."""

    @abstractmethod
    def blocks(self, rows: np.ndarray) -> np.ndarray | None:
        """Which block each image is stored in, (N,), where reading a block at a time is cheaper."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Labelled images that can be read one by one: what a datamodule needs to know of a split.

    Attributes:
        reader: Reads the pixels.
        labels: Class index of each image, (N,) int64; `UNLABELLED` where it is not known.
        names: What each image is called; unique, and the same on every machine.
        groups: What each image is a copy of: a split keeps images of one group together. Empty
            where every image stands for itself.
        rows: Row of each image in the reader, (N,); all of them, in their order, if not given.
    """

    reader: ImageReader
    labels: np.ndarray
    names: Sequence[str]
    groups: Sequence[str] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.labels):
            object.__setattr__(self, "rows", np.arange(len(self.labels)))

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> np.ndarray:
        """The image at `index` as uint8 (H, W, C); see `ImageReader`."""
        return self.reader.read(int(self.rows[index]))

    def take(self, indices: Sequence[int]) -> np.ndarray | None:
        """The images at `indices` at once, (N, H, W, C); see `ImageReader`."""
        return self.reader.take(self.rows[indices])

    def complaint(self, index: int) -> str | None:
        """What is wrong with the image at `index`; see `ImageReader`."""
        return self.reader.complaint(int(self.rows[index]))

    def blocks(self) -> np.ndarray | None:
        """Which block each image is stored in, (N,); see `ImageReader`."""
        return self.reader.blocks(self.rows)

    def subset(self, indices: np.ndarray) -> Self:
        """The images at `indices`, in that order."""
        return replace(
            self,
            labels=self.labels[indices],
            names=[self.names[index] for index in indices],
            groups=[self.groups[index] for index in indices] if self.groups else (),
            rows=self.rows[indices],
        )

    def fingerprint(self) -> str:
        """A digest that changes when an image, a name or a label does."""
        digest = hashlib.sha256(self.reader.fingerprint(self.rows).encode())
        digest.update(self.labels.tobytes())
        digest.update("\0".join(self.names).encode())
        return digest.hexdigest()[:32]
