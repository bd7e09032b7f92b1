"""Datamodule of manifests: tables that list images, or hold them."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.complaints import warn_or_raise
from datamodules.images_to_predict import images_to_predict
from datamodules.names import composed
from datamodules.options import BatchSize, Options
from datamodules.sources.files import FileReader
from datamodules.sources.packed_images import PackedReader
from datamodules.sources.resizing import Resize
from datamodules.sources.source import ImageSource
from datamodules.sources.subjects import Subjects, find_subjects
from datamodules.splits.settings import SplitSettings
from datamodules.tables.columns import Columns
from datamodules.tables.further_columns import columns_of
from datamodules.tables.labels import class_indices, classes_of
from datamodules.tables.located import located
from datamodules.tables.manifest import read_rows
from datamodules.tables.manifest_file import Layout
from datamodules.tables.packed_rows import names_of, packed_reader
from datamodules.tables.table_files import manifest_files

HINT = "name the folder of the images with --data.root"


class ManifestDataModule(ImageDataModule):
    """Tables with one row per image: its path and label, and perhaps its split and group.

    They are CSV, JSON, Parquet or Arrow files, which may also hold the images, as those of Hugging
    Face's `datasets` do. Splits without a row are split off the training images. Images of one
    group, copies of one original, stay in one split. A test set without labels is for `predict`.
    Further columns are groups of images, whose accuracies are compared; boxes and masks say where
    the subject is.

    Args:
        manifest: One file; or a folder with `train.csv` and perhaps `val.csv`, `test.csv` and
            `predict.csv`, or other tables so named, or a dataset saved by `datasets`; or a file,
            folder or pattern for each split, `{train: a.csv, val: b-*.parquet}`.
        root: Folder that the paths are relative to; None for the folder of the manifest.
        labels: Files with the labels of a split, one per row in their last column, if the manifest
            does not have them, `{train: labels.csv}`.
        predict: Images to predict: a folder, or a table that lists them.
        header: Whether the first line of the files names the columns.
        columns: Which column holds what; see `Columns`.
        delimiter: The character between two values of a CSV file; None to find it.
        class_names: Names of the classes, if labels are indices, or to order the classes; None
            takes the labels as names, or the names that `datasets` has noted.
        allow_outside: Whether paths may lead out of the root.
        image_size: Side in pixels of the square that images are resized to.
        resize: `squeeze` images into a square, `crop` the square in their middle, or `pad` them
            with black bars.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most 16.
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
        predict: Path | str | None = None,
        header: bool = True,
        columns: Columns = Columns(),
        delimiter: str | None = None,
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
        self.predict = None if predict is None else Path(predict)
        if self.predict is not None and not self.predict.is_dir():
            self.files["predict"] = self.predict
        self.place = ", ".join(map(str, self.files.values()))
        label_files = {name: Path(file) for name, file in (labels or {}).items()}
        self.layout = Layout(header, columns, delimiter, label_files, tuple(class_names or ()))
        self.root = next(iter(self.files.values())).parent if root is None else Path(root)
        self.given_classes, self.allow_outside = class_names, allow_outside

    def find_classes(self) -> tuple[str, ...]:
        """The given names, those noted in the table, or the labels in their order."""
        noted = self._rows.attrs.get("class_names")
        given = self.given_classes or noted or classes_of(self._rows["label"])
        return tuple(map(composed, given))

    def load(self) -> dict[str, ImageSource]:
        """List the images of each split; no image is opened."""
        rows = self._rows
        labels = class_indices(rows, self.find_classes())
        groups = rows["group"].tolist() if "group" in rows else ()
        columns = columns_of(rows)
        subjects = self._subjects(columns)
        if subjects is not None:
            columns = {name: c for name, c in columns.items() if name not in subjects.columns}
        source = ImageSource(
            self._reader(), labels, names_of(rows), groups, columns=columns, subjects=subjects
        )
        splits = rows["split"].to_numpy()
        found = {name: source.subset(np.flatnonzero(splits == name)) for name in set(splits)}
        if self.predict is not None and self.predict.is_dir():
            size, channels, outside = self.image_size, self.num_channels, self.allow_outside
            found["predict"] = images_to_predict(
                self.predict, size, channels, self.resize, outside, warn_or_raise
            )
        return found

    def _subjects(self, columns: dict[str, np.ndarray]) -> Subjects | None:
        """Boxes or masks of images that are files."""
        if "@row" in self._rows:
            return None
        names, outside = self._rows["image"].tolist(), self.allow_outside
        return find_subjects(columns, self.root, names, self.image_size, self.resize, outside)

    def _reader(self) -> FileReader | PackedReader:
        rows = self._rows
        if "@row" in rows:
            return packed_reader(rows, self.image_size, self.num_channels, self.resize)
        paths = rows["image"].tolist()
        return FileReader(self.root, paths, self.image_size, self.num_channels, self.resize)

    @cached_property
    def _rows(self) -> Any:
        """One row per image; see `read_rows`."""
        rows = read_rows(self.files, self.layout, warn_or_raise)
        return located(rows, self.root, HINT, warn_or_raise, self.allow_outside)
