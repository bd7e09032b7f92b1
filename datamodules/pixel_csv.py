"""Images whose pixels are numbers in a CSV file, as FER2013 is published."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import resize
from datamodules.sources.pixels import read_pixels
from datamodules.sources.source import ImageSource
from datamodules.splits.split import Split
from datamodules.tables.labels import class_indices, classes_of
from datamodules.tables.table import refuse

USAGES = {  # what the split of a row may be called; Kaggle's names last
    **{split: split for split in ("train", "val", "test", "predict")},
    **{"": "train", "Training": "train", "PublicTest": "test", "PrivateTest": "test"},
}


class PixelCSVDataModule(ImageDataModule):
    """A CSV file with a row an image: label, pixels from 0 to 255, and perhaps its split.

    Columns are `label,feature` or `emotion,pixels,Usage` (see `read_pixels`). The file is parsed
    once and then mapped into memory, so that the next start is instant and processes share one
    copy. An image is called after its file and line, `train.csv:2`.

    Args:
        file: The training images, or all images with a column that says of which split each is.
        test: Another file with the test images; None for those in `file`.
        predict: Another file with images to predict, which need no label.
        class_names: Names of the classes, where labels are their indices; None takes the labels.
        usage: Split for each value of the column `split` or `Usage`, `{PublicTest: val}`; besides
            what is known: Training is train, PublicTest and PrivateTest are test.
        image_size: Side in pixels of the images, which are resized if they have another.
        num_channels: 1 for grey images, 3 for RGB; what the file has is converted.
        batch_size: Images per batch and process.
        num_workers: Loader processes; the images are in memory, so none is fastest.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, where no row says so.
        options: See `Options`.

    Raises:
        ValueError: If a row has too few or too many pixels, a pixel is not in 0 to 255, a label is
            no class, or a split is unknown.
    """

    def __init__(
        self,
        file: Path,
        test: Path | None = None,
        predict: Path | None = None,
        class_names: list[str] | None = None,
        usage: dict[str, Literal["train", "val", "test", "predict"]] | None = None,
        image_size: int = 48,
        num_channels: Literal[1, 3] = 1,
        batch_size: int = 64,
        num_workers: int | None = 0,
        augmentation: list[Transform] | str = "none",
        split: Split = Split(),
        options: Options = Options(),
    ) -> None:
        super().__init__(
            image_size, num_channels, batch_size, num_workers, augmentation, split, options
        )
        self.place = file
        self.files = {"": file, "test": test, "predict": predict}
        self.given_classes, self.usage = class_names, USAGES | (usage or {})

    def find_classes(self) -> tuple[str, ...]:
        """The names given, or the labels in alphabetical order, numbers in theirs."""
        labels = pd.concat([rows["label"] for _, rows in self._tables.values()])
        return tuple(self.given_classes or classes_of(labels))

    def load(self) -> dict[str, ImageSource]:
        """One source for each split that the files name."""
        sources: dict[str, ImageSource] = {}
        for part, (images, rows) in self._tables.items():
            splits = pd.Series(part, rows.index) if part else rows["split"].map(self.usage)
            values = ", ".join(name for name in self.usage if name)
            refuse(rows, splits.isna(), f"is no split: expected one of {values}", "split")
            refuse(
                rows,
                (rows["label"] == "") & (splits != "predict"),
                "is no label; only images to predict may lack one",
                "label",
            )
            names = [f"{Path(rows['@file'].iloc[0]).name}:{line}" for line in rows["@line"]]
            labels = class_indices(rows, self.find_classes())
            source = ImageSource(ArrayReader(self._fitted(images)), labels, names)
            for name in splits.unique():
                if name in sources:
                    raise ValueError(
                        f"{rows['@file'].iloc[0]} has {name} images, and so has another file."
                    )
                sources[name] = source.subset(np.flatnonzero(splits == name))
        return sources

    @cached_property
    def _tables(self) -> dict[str, tuple[np.ndarray, Any]]:
        """Images and rows of each file."""
        return {part: read_pixels(file) for part, file in self.files.items() if file is not None}

    def _fitted(self, images: np.ndarray) -> np.ndarray:
        """The images in the size and colours that were asked for; as they are if they fit."""
        if images.shape[3] != self.num_channels:
            code = cv2.COLOR_GRAY2RGB if self.num_channels == 3 else cv2.COLOR_RGB2GRAY
            images = np.stack([cv2.cvtColor(image, code) for image in images])
            images = images.reshape(*images.shape[:3], self.num_channels)
        if images.shape[1] == self.image_size:
            return images
        return np.stack([resize(image, self.image_size) for image in images])
