"""Photographs in class folders."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from datamodules.augmentation import Transform, photo_augmentation
from datamodules.base import ImageDataModule
from datamodules.decode import EXTENSIONS
from datamodules.source import FileSource
from datamodules.split import Split

SPLITS = ("train", "val", "test")


class ImageFolderDataModule(ImageDataModule):
    """One folder a class, below `root` itself or below `root/train`, `root/val`, `root/test`.

    A split folder that is missing is split off the training images. Hidden folders and folders
    without an image are no classes; links are followed only within the root.

    Args:
        root: The folder.
        image_size: Side in pixels of the square that images are squeezed to.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most eight.
        augmentation: albumentations for training images; None for `photo_augmentation`.
        split: Shares of the images to validate and to test on, where there is no folder.

    Raises:
        ValueError: If there is no image, or a class of `val` or `test` is not in `train`.
    """

    def __init__(
        self,
        root: Path,
        image_size: int = 224,
        num_channels: Literal[1, 3] = 3,
        batch_size: int = 32,
        num_workers: int | None = None,
        augmentation: list[Transform] | None = None,
        split: Split = Split(),
    ) -> None:
        transforms = photo_augmentation() if augmentation is None else augmentation
        super().__init__(image_size, num_channels, batch_size, num_workers, transforms, split)
        self.root = root

    @property
    def class_names(self) -> tuple[str, ...]:
        """The folders of the training images that hold one, in alphabetical order."""
        return tuple(sorted({name.split("/")[0] for name in self._files["train"]}))

    def load(self) -> dict[str, FileSource]:
        """List the files; none is opened."""
        return {split: self._source(split, names) for split, names in self._files.items()}

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """Paths of the images of each split, relative to its folder."""
        if not self.root.is_dir():
            raise ValueError(f"There is no folder {self.root}; name it with --data.root PATH.")
        present = [split for split in SPLITS if (self.root / split).is_dir()]
        if present and "train" not in present:
            raise ValueError(f"{self.root} has a folder {present[0]}, but none called train.")
        files = {split: _images_below(self.root / split) for split in present}
        files = files or {"train": _images_below(self.root)}
        for split, names in files.items():
            if not names:
                folder = self.root / split if present else self.root
                raise ValueError(
                    f"{folder} has no class folder with an image in it. Expected "
                    f"{folder}/<class>/<image>, with one of {', '.join(sorted(EXTENSIONS))}."
                )
        return files

    def _source(self, split: str, names: list[str]) -> FileSource:
        classes = [name.split("/")[0] for name in names]
        if unknown := sorted(set(classes) - set(self.class_names)):
            raise ValueError(
                f"{self.root / split} has classes that {self.root / 'train'} lacks: "
                f"{', '.join(unknown)}. Known are {', '.join(self.class_names)}."
            )
        index = {name: label for label, name in enumerate(self.class_names)}
        labels = np.array([index[name] for name in classes], dtype=np.int64)
        folder = self.root / split if (self.root / split).is_dir() else self.root
        return FileSource(folder, names, labels, self.image_size, self.num_channels)


def _images_below(folder: Path) -> list[str]:
    """Images of all class folders, sorted; a link that leaves the folder is not followed."""
    root = folder.resolve()
    names = []
    for directory, folders, files in os.walk(folder):  # which follows no link to a folder
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names += [
            path.relative_to(folder).as_posix()
            for path in (Path(directory) / file for file in files)
            if path.suffix.lower() in EXTENSIONS
            and not path.name.startswith(".")
            and path.parent != folder
            and path.resolve().is_relative_to(root)
        ]
    return sorted(names)
