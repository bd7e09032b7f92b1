"""Where images come from: any sequence of labelled images that can be read one by one."""

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from datamodules.decode import read_image


class ImageSource(Protocol):
    """Labelled images: what a datamodule needs to know of a split.

    Attributes:
        labels: Class index of each image, (N,) int64.
        names: What each image is called; unique, and the same on every machine.
    """

    labels: np.ndarray
    names: list[str]

    @abstractmethod
    def read(self, index: int) -> np.ndarray:
        """The image as uint8 (H, W, C), all of one size."""

    @abstractmethod
    def subset(self, indices: np.ndarray) -> "ImageSource":
        """The images at `indices`, in that order."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A digest that changes when an image or a label does."""


class ArraySource:
    """Images that are in memory, resized once.

    Args:
        images: uint8, (N, H, W, C).
        labels: Class index of each image, (N,).
        names: What each image is called.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, names: list[str]) -> None:
        self.images, self.labels, self.names = images, labels, names

    def read(self, index: int) -> np.ndarray:
        """See `ImageSource`."""
        return self.images[index]

    def subset(self, indices: np.ndarray) -> "ArraySource":
        """See `ImageSource`."""
        names = [self.names[index] for index in indices]
        return ArraySource(self.images[indices], self.labels[indices], names)

    def fingerprint(self) -> str:
        """Digest of pixels and labels."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()[:32]


class FileSource:
    """Image files, decoded when they are read.

    Args:
        root: Folder that the names are relative to.
        names: Path of each image below the root, with forward slashes.
        labels: Class index of each image, (N,).
        image_size: Side in pixels of the square that an image is resized to.
        num_channels: 1 to read as grey, 3 as RGB.
    """

    def __init__(
        self,
        root: Path,
        names: list[str],
        labels: np.ndarray,
        image_size: int,
        num_channels: int,
    ) -> None:
        self.root, self.names, self.labels = root, names, labels
        self.image_size, self.num_channels = image_size, num_channels

    def read(self, index: int) -> np.ndarray:
        """See `ImageSource`."""
        image = read_image(self.root / self.names[index], self.num_channels)
        return resize(image, self.image_size)

    def subset(self, indices: np.ndarray) -> "FileSource":
        """See `ImageSource`."""
        names = [self.names[index] for index in indices]
        return FileSource(
            self.root, names, self.labels[indices], self.image_size, self.num_channels
        )

    def fingerprint(self) -> str:
        """Digest of names, labels and file sizes: no file is opened."""
        digest = hashlib.sha256()
        for name, label in zip(self.names, self.labels, strict=True):
            digest.update(f"{name}\0{label}\0{(self.root / name).stat().st_size}\n".encode())
        return digest.hexdigest()[:32]


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """Squeeze an image (H, W, C) into a square; averages areas when it shrinks."""
    if image.shape[:2] == (size, size):
        return image
    shrinks = min(image.shape[:2]) > size
    resized = cv2.resize(
        image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return resized.reshape(size, size, image.shape[2])  # OpenCV drops a single channel
