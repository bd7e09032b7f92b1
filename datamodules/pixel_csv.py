"""Datamodule of pixel CSV files: images whose pixels are numbers, as FER2013 is published."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.complaints import warn_or_raise
from datamodules.options import BatchSize, Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.pixels import read_pixels
from datamodules.sources.resizing import resize
from datamodules.sources.source import ImageSource
from datamodules.splits.names import SplitName
from datamodules.splits.settings import SplitSettings
from datamodules.tables.label_values import cleaned
from datamodules.tables.labels import class_indices, classes_of
from datamodules.tables.pixels import USAGES, with_splits


class PixelCSVDataModule(ImageDataModule):
    """A CSV file with one row per image: its label, pixels from 0 to 255, and perhaps its split.

    Columns are `label,feature` or `emotion,pixels,Usage` (see `parse_pixels`). The file is parsed
    once and then mapped into memory, so that the next start is instant and processes share one
    copy. An image is named after its file and line, `train.csv:2`.

    Args:
        file: The training images, or all images with a column that names the split of each.
        test: Another file with the test images; None for those in `file`.
        predict: Another file with images to predict, which need no label.
        class_names: Names of the classes, if labels are their indices; None takes the labels.
        usage: Split for each value of the column `split` or `Usage`, `{PublicTest: val}`. Known
            values: Training is train, PublicTest and PrivateTest are test.
        image_size: Side in pixels; images of another size are resized.
        num_channels: 1 for grey images, 3 for RGB; the images are converted if need be.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; 0 is fastest, as the images are in memory.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, if the rows do not name them.
        options: See `Options`.

    Raises:
        ValueError: If a row has too few or too many pixels, a pixel is not in 0 to 255, or a label
            or a split is unknown.
    """

    def __init__(
        self,
        file: Path | str,
        test: Path | str | None = None,
        predict: Path | str | None = None,
        class_names: list[str] | None = None,
        usage: dict[str, SplitName] | None = None,
        image_size: int = 48,
        num_channels: Literal[1, 3] = 1,
        batch_size: BatchSize = 64,
        num_workers: int | None = 0,
        augmentation: list[Transform] | str = "none",
        split: SplitSettings = SplitSettings(),
        options: Options = Options(),
    ) -> None:
        super().__init__(
            image_size, num_channels, batch_size, num_workers, augmentation, split, options
        )
        self.place = Path(file)
        files = {"": file, "test": test, "predict": predict}
        self.files = {name: Path(path) for name, path in files.items() if path is not None}
        self.given_classes, self.usage = class_names, USAGES | (usage or {})

    def find_classes(self) -> tuple[str, ...]:
        """The given names, or the labels in alphabetical or numerical order."""
        labels = pd.concat([rows["label"] for _, rows in self._tables.values()])
        return tuple(self.given_classes or classes_of(labels))

    def load(self) -> dict[str, ImageSource]:
        """One source for each split that the files name."""
        sources: dict[str, ImageSource] = {}
        for part, (images, rows) in self._tables.items():
            rows = with_splits(rows, part, self.usage)
            labels = class_indices(rows, self.find_classes())
            reader = ArrayReader(self._fitted(images))
            source = ImageSource(reader, labels, rows["image"].tolist())
            for name in rows["split"].unique():
                if name in sources:
                    raise ValueError(
                        f"{rows['@file'].iloc[0]} has {name} images, and so has another file."
                    )
                sources[name] = source.subset(np.flatnonzero(rows["split"] == name))
        return sources

    @cached_property
    def _tables(self) -> dict[str, tuple[np.ndarray, Any]]:
        """Images and rows of each file."""
        return {part: self._read(file) for part, file in self.files.items()}

    def _read(self, file: Path) -> tuple[np.ndarray, Any]:
        images, rows = read_pixels(file)
        rows = cleaned(rows, self.given_classes or (), warn_or_raise)
        return images, rows

    def _fitted(self, images: np.ndarray) -> np.ndarray:
        """The images in the size and colours that were asked for."""
        if images.shape[3] != self.num_channels:
            code = cv2.COLOR_GRAY2RGB if self.num_channels == 3 else cv2.COLOR_RGB2GRAY
            images = np.stack([cv2.cvtColor(image, code) for image in images])
            images = images.reshape(*images.shape[:3], self.num_channels)
        if images.shape[1] == self.image_size:
            return images
        return np.stack([resize(image, self.image_size) for image in images])
