"""Photographs in class folders."""

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.listing import FOLDERS, images_of, split_folders
from datamodules.options import Options
from datamodules.sources.files import FileReader
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.split import Split


class ImageFolderDataModule(ImageDataModule):
    """One folder a class, below `root` itself or below `root/train`, `root/val`, `root/test`.

    A split folder that is missing is split off the training images. Images that lie in `root/test`
    itself, and all below `root/predict`, have no label and are for `predict`. Hidden folders and
    folders without an image are no classes; links are followed only within the root.

    Args:
        root: The folder.
        predict: Folder of images to predict; None for those below the root.
        image_size: Side in pixels of the square that images are squeezed to.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most eight.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, where there is no folder.
        options: See `Options`.

    Raises:
        ValueError: If there is no image, or a class of `val` or `test` is not in `train`.
    """

    def __init__(
        self,
        root: Path,
        predict: Path | None = None,
        image_size: int = 224,
        num_channels: Literal[1, 3] = 3,
        batch_size: int = 32,
        num_workers: int | None = None,
        augmentation: list[Transform] | str = "light",
        split: Split = Split(),
        options: Options = Options(),
    ) -> None:
        super().__init__(
            image_size, num_channels, batch_size, num_workers, augmentation, split, options
        )
        self.place, self.root, self.predict = root, root, predict

    def find_classes(self) -> tuple[str, ...]:
        """The folders of the training images that hold one, in alphabetical order."""
        return self._classes

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        folder = self._folders["train"]
        classes = sorted({name.split("/")[0] for name in self._files["train"]})
        inner = {path.name for path in folder.iterdir() if path.is_dir()}
        hidden = {name for name in inner if name.startswith(".")}
        others = set(FOLDERS["predict"]) if folder == self.root else set()
        if empty := sorted(inner - hidden - others - set(classes)):
            rank_zero_warn(f"{folder} has folders without an image: {', '.join(empty)}.")
        return tuple(classes)

    def load(self) -> dict[str, ImageSource]:
        """List the files; none is opened."""
        return {split: self._source(split, names) for split, names in self._files.items()}

    @cached_property
    def _folders(self) -> dict[str, Path]:
        """The folder of each split."""
        return split_folders(self.root, self.predict)

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """Paths of the images of each split, relative to its folder."""
        return images_of(self.root, self._folders)

    def _source(self, split: str, names: list[str]) -> ImageSource:
        folder = self._folders[split]
        labels = np.full(len(names), UNLABELLED, dtype=np.int64)
        if split != "predict":
            index = {name: label for label, name in enumerate(self.find_classes())}
            classes = [name.split("/")[0] for name in names]
            if unknown := sorted(set(classes) - set(index)):
                raise ValueError(
                    f"{folder} has classes that {self._folders['train']} lacks: "
                    f"{', '.join(unknown)}. Known are {', '.join(index)}."
                )
            labels = np.array([index[name] for name in classes], dtype=np.int64)
        if folder.is_relative_to(self.root):  # so that names tell the splits apart
            names = [(folder / name).relative_to(self.root).as_posix() for name in names]
            folder = self.root
        reader = FileReader(folder, names, self.image_size, self.num_channels)
        return ImageSource(reader, labels, names)
