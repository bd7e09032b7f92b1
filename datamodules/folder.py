"""Datamodule of class folders: image files in one folder per class."""

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.class_folders import ClassFolders, read_class_folders
from datamodules.complaints import warn_or_raise
from datamodules.names import composed
from datamodules.options import BatchSize, Options
from datamodules.sources.files import FileReader
from datamodules.sources.resizing import Resize
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.settings import SplitSettings


class ImageFolderDataModule(ImageDataModule):
    r"""One folder per class, below `root` itself or below `root/train`, `root/val`, `root/test`.

    Splits without a folder are split off the training images. Images directly in `root/test`, and
    all below `root/predict`, have no label and are for `predict`. Hidden folders and folders
    without an image are not classes. Links to folders are not followed, and links to files only if
    they stay within their folder.

    Args:
        root: The folder.
        predict: Folder of images to predict; None for the one below the root.
        allow_outside: Whether to follow all links, wherever they lead.
        pattern: Regular expression whose first group in the name of a file is its class, for images
            without class folders: `^(\w+)_\d+`. None if folders are the classes.
        class_names: The classes in another order than that of their names; None for that order.
        image_size: Side in pixels of the square that images are resized to.
        resize: `squeeze` images into a square, `crop` the square in their middle, or `pad` them
            with black bars.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most 16.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, if there is no folder of them.
        options: See `Options`.

    Raises:
        ValueError: If there is no image, or a class of `val` or `test` is missing in `train`.
    """

    def __init__(
        self,
        root: Path | str,
        predict: Path | str | None = None,
        pattern: str | None = None,
        allow_outside: bool = False,
        class_names: list[str] | None = None,
        image_size: int = 224,
        resize: Resize = "squeeze",
        num_channels: Literal[1, 3] = 3,
        batch_size: BatchSize = 32,
        num_workers: int | None = None,
        augmentation: list[Transform] | str = "light",
        split: SplitSettings = SplitSettings(),
        options: Options = Options(),
    ) -> None:
        super().__init__(
            image_size, num_channels, batch_size, num_workers, augmentation, split, options
        )
        self.resize: Resize = resize
        self.place = self.root = Path(root)
        self.allow_outside, self.pattern = allow_outside, pattern
        self.given_classes = None if class_names is None else tuple(map(composed, class_names))
        self.predict = None if predict is None else Path(predict)

    def find_classes(self) -> tuple[str, ...]:
        """The folders of training images that hold one, in the order of `in_order` or as given."""
        found, given = self._images.class_names, self.given_classes
        if given is None:
            return found
        if sorted(given) != sorted(found):
            raise ValueError(
                f"data.class_names names {', '.join(given)}; the classes are {', '.join(found)}."
            )
        return given

    def load(self) -> dict[str, ImageSource]:
        """List the files; none is opened."""
        return {split: self._source(split) for split in self._images.names}

    @cached_property
    def _images(self) -> ClassFolders:
        return read_class_folders(
            self.root, self.predict, warn_or_raise, self.allow_outside, self.pattern
        )

    def _source(self, split: str) -> ImageSource:
        index = {name: label for label, name in enumerate(self.find_classes())} | {"": UNLABELLED}
        found = self._images.labels(split)
        labels = np.fromiter(map(index.__getitem__, found), np.int64, len(found))
        folder, names = self._images.names_below_root(split)
        reader = FileReader(folder, names, self.image_size, self.num_channels, self.resize)
        return ImageSource(reader, labels, names)
