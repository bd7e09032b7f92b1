"""Datamodule of manifests: CSV files that list images."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.names import composed
from datamodules.options import BatchSize, Options
from datamodules.sources.files import FileReader
from datamodules.sources.resizing import Resize
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings
from datamodules.tables.labels import class_indices, classes_of
from datamodules.tables.manifest import (
    Columns,
    Layout,
    existing,
    inside_root,
    manifest_files,
    read_rows,
)

HINT = "name the folder of the images with --data.root"


class ManifestDataModule(ImageDataModule):
    """CSV files with one row per image: its path and label, and perhaps its split and group.

    Splits without a row are split off the training images. Images of one group, copies of one
    original, stay in one split. A test set without labels is for `predict`.

    Args:
        manifest: One file; or a folder with `train.csv` and perhaps `val.csv`, `test.csv` and
            `predict.csv`; or a file for each split, `{train: a.csv, val: b.csv}`.
        root: Folder that the paths are relative to; None for the folder of the manifest.
        labels: Files with the labels of a split, one per row in their last column, if the manifest
            does not have them, `{train: labels.csv}`.
        header: Whether the first line of the files names the columns.
        columns: Which column holds what.
        delimiter: The character between two values.
        class_names: Names of the classes, if labels are indices, or to order the classes; None
            takes the labels as names.
        allow_outside: Whether paths may lead out of the root.
        image_size: Side in pixels of the square that images are resized to.
        resize: `squeeze` images into a square, `crop` the square in their middle, or `pad` them
            with black bars.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most eight.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, if the rows do not name them.
        options: See `Options`.

    Raises:
        ValueError: If a column, a label or an image is missing, a label or a split is unknown, an
            image is listed twice, or a path leads out of the root.
    """

    def __init__(
        self,
        manifest: dict[str, Path | str] | Path | str,  # in this order, else jsonargparse dumps text
        root: Path | str | None = None,
        labels: dict[str, Path | str] | None = None,
        header: bool = True,
        columns: Columns = Columns(),
        delimiter: str = ",",
        class_names: list[str] | None = None,
        allow_outside: bool = False,
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
        self.files = manifest_files(manifest)
        self.place = ", ".join(map(str, self.files.values()))
        label_files = {name: Path(file) for name, file in (labels or {}).items()}
        self.layout = Layout(header, columns, delimiter, label_files)
        self.root = next(iter(self.files.values())).parent if root is None else Path(root)
        self.given_classes, self.allow_outside = class_names, allow_outside

    def find_classes(self) -> tuple[str, ...]:
        """The given names, or the labels in alphabetical or numerical order."""
        return tuple(map(composed, self.given_classes or classes_of(self._rows["label"])))

    def load(self) -> dict[str, ImageSource]:
        """List the images of each split; no image is opened."""
        labels = class_indices(self._rows, self.find_classes())
        paths = self._rows["image"].tolist()
        reader = FileReader(self.root, paths, self.image_size, self.num_channels, self.resize)
        groups = self._rows["group"].tolist() if "group" in self._rows else ()
        source = ImageSource(reader, labels, paths, groups)
        splits = self._rows["split"].to_numpy()
        return {name: source.subset(np.flatnonzero(splits == name)) for name in set(splits)}

    @cached_property
    def _rows(self) -> Any:
        """One row per image; see `read_rows`."""
        rows = read_rows(self.files, self.layout)
        if not self.allow_outside:
            inside_root(rows, self.root, f"{HINT}, or set --data.allow_outside true")
        return existing(rows, self.root, HINT)
