"""Datamodule of published datasets, by the names that torchvision gives them."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from filelock import FileLock

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.known_sets.downloads import resuming_downloads
from datamodules.known_sets.layouts import LAYOUTS, Layout
from datamodules.options import BatchSize, Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import FileReader
from datamodules.sources.resized_images import ResizedReader
from datamodules.sources.resizing import Resize
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings

Name = Literal[
    "CIFAR10",
    "CIFAR100",
    "Caltech101",
    "Country211",
    "DTD",
    "EMNIST-balanced",
    "EMNIST-byclass",
    "EMNIST-bymerge",
    "EMNIST-digits",
    "EMNIST-letters",
    "EuroSAT",
    "FGVCAircraft",
    "FashionMNIST",
    "Flowers102",
    "Food101",
    "GTSRB",
    "Imagenette",
    "Imagenette-160px",
    "Imagenette-320px",
    "KMNIST",
    "MNIST",
    "OxfordIIITPet",
    "QMNIST",
    "RenderedSST2",
    "STL10",
    "SUN397",
    "SVHN",
    "StanfordCars",
    "USPS",
]


class TorchvisionDataModule(ImageDataModule):
    """One of torchvision's datasets, downloaded on first use.

    Splits are the published ones; a validation or test set that was not published is split off the
    training images. If several processes start, one downloads and the others wait. An interrupted
    download resumes at the next start.

    Args:
        name: Name of the dataset.
        root: Folder of the datasets; it is created if need be.
        download: Whether to download what is missing; set it to `false` for a read-only folder.
        image_size: Side in pixels of the square that images are resized to; None takes the
            dataset's own, mostly 224 for photographs of many sizes.
        resize: `squeeze` images into a square, `crop` the square in their middle, or `pad` them
            with black bars.
        num_channels: 1 for grey images, 3 for RGB; None takes the dataset's own.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most 16.
        augmentation: A preset's name, a YAML file, or a list of albumentations; None takes `light`
            for photographs, and for letters, digits and signs `glyphs`, which does not mirror.
        split: How to split off images to validate and to test on, if the dataset has none.
        options: See `Options`.

    Raises:
        ValueError: If the dataset is missing and cannot be downloaded, or its splits have different
            classes.
    """

    def __init__(
        self,
        name: Name,
        root: Path | str = Path("data"),
        download: bool = True,
        image_size: int | None = None,
        resize: Resize = "squeeze",
        num_channels: Literal[1, 3] | None = None,
        batch_size: BatchSize = 64,
        num_workers: int | None = None,
        augmentation: list[Transform] | str | None = None,
        split: SplitSettings = SplitSettings(),
        options: Options = Options(),
    ) -> None:
        layout = LAYOUTS[name]
        super().__init__(
            image_size or layout.image_size,
            num_channels or layout.num_channels,
            batch_size,
            num_workers,
            layout.augmentation if augmentation is None else augmentation,
            split,
            options,
        )
        self.resize: Resize = resize
        self.set_name, self.root, self.download = name, Path(root), download

    @property
    def layout(self) -> Layout:
        """How the dataset is stored and read."""
        return LAYOUTS[self.set_name]

    def find_classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the dataset's own numbers."""
        classes = {part: tuple(self.layout.classes(data)) for part, data in self._parts.items()}
        for part, names in classes.items():
            if differing := sorted(set(names) ^ set(classes["train"])):
                raise ValueError(
                    f"{self.root / self.layout.place} is incomplete: the images of {part} and "
                    f"those of train do not have the same classes; they differ in "
                    f"{', '.join(differing)}."
                )
        return classes["train"]

    def load(self) -> dict[str, ImageSource]:
        """List the images of each split; image files are not opened."""
        return {part: self._source(part, data) for part, data in self._parts.items()}

    @cached_property
    def _parts(self) -> dict[str, Any]:
        """Torchvision's dataset object of each split."""
        if not (self.download and self.layout.downloadable):
            return self._opened(download=False)
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / f".{self.set_name}.lock"), resuming_downloads():
            return self._opened(download=True)

    def _opened(self, download: bool) -> dict[str, Any]:
        try:
            return {
                part: self.layout.dataset(self.root, **how, download=download)
                for part, how in self.layout.splits.items()
            }
        except (RuntimeError, FileNotFoundError) as error:
            raise ValueError(self._advice(error, download)) from error

    def _advice(self, error: Exception, download: bool) -> str:
        """The error for a dataset that torchvision cannot open, with what to do."""
        place = self.root / self.layout.place
        if download and isinstance(error, RuntimeError):
            return f"{self.set_name} cannot be downloaded: {error}"
        if download:
            return f"{place} is incomplete: {error}. Delete it, and it will be downloaded again."
        fetching = "download it with --data.download true, or "
        if not self.layout.downloadable:
            fetching = "it is no longer available for download; "
        return (
            f"{self.set_name} is missing or incomplete in {self.root}: expected it at {place}; "
            f"{fetching}name the folder that holds it with --data.root PATH."
        )

    def _source(self, part: str, data: Any) -> ImageSource:
        images, labels = self.layout.content(data)
        if isinstance(images, list):
            names = [Path(os.path.relpath(file, self.root)).as_posix() for file in images]
            reader = FileReader(self.root, names, self.image_size, self.num_channels, self.resize)
        else:
            names = [f"{part}/{index:06d}" for index in range(len(images))]
            reader = ArrayReader(with_channels(np.asarray(images), self.num_channels))
            if reader.images.shape[1] != self.image_size:
                reader = ResizedReader(reader, self.image_size)
        groups = [self.layout.group_of(name) for name in names] if self.layout.group_of else ()
        return ImageSource(reader, np.asarray(labels, dtype=np.int64), names, groups)


def with_channels(images: np.ndarray, num_channels: int) -> np.ndarray:
    """Grey images, (N, H, W), or RGB, (N, H, W, 3), as (N, H, W, num_channels)."""
    if images.ndim == 3:
        return np.repeat(images[..., None], num_channels, axis=3)
    images = np.ascontiguousarray(images)
    if num_channels == 1:
        return np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])[..., None]
    return images
