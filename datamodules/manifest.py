"""Images listed in CSV files."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import Options
from datamodules.sources.files import FileReader, outside
from datamodules.sources.source import ImageSource
from datamodules.splits.split import Split
from datamodules.tables.labels import class_indices, classes_of
from datamodules.tables.manifest import Columns, Layout, manifest_files, read_rows
from datamodules.tables.table import refuse


class ManifestDataModule(ImageDataModule):
    """CSV files with a row an image: path and label, perhaps its split, perhaps its original.

    A split without a row is split off the training images, and images of one group stay on one
    side. Test images without a label are for `predict`.

    Args:
        manifest: One file; or a folder with `train.csv` and, if wanted, `val.csv`, `test.csv` and
            `predict.csv`; or a file for each split, `{train: a.csv, val: b.csv}`.
        root: Folder that the paths are relative to; None for the manifest's own.
        labels: Files that hold the labels of a split row by row, in their last column, where they
            are not in the manifest, `{train: labels.csv}`.
        header: Whether the first line of the files names the columns.
        columns: Which column holds what.
        delimiter: What stands between two values.
        class_names: Names of the classes, where labels are their indices, or in another order than
            by name or number; None takes the labels for names.
        allow_outside: Whether paths may lead out of the root.
        image_size: Side in pixels of the square that images are squeezed to.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most eight.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, where no row says so.
        options: See `Options`.

    Raises:
        ValueError: If a column, a label or an image is missing, a label is no class, an image is
            listed twice, a path leaves the root, or a split is none of the four.
    """

    def __init__(
        self,
        manifest: Path | dict[str, Path],
        root: Path | None = None,
        labels: dict[str, Path] | None = None,
        header: bool = True,
        columns: Columns = Columns(),
        delimiter: str = ",",
        class_names: list[str] | None = None,
        allow_outside: bool = False,
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
        self.files = manifest_files(manifest)
        self.place = ", ".join(map(str, self.files.values()))
        self.layout = Layout(header, columns, delimiter, labels or {})
        self.root = root or next(iter(self.files.values())).parent
        self.given_classes, self.allow_outside = class_names, allow_outside

    def find_classes(self) -> tuple[str, ...]:
        """The names given, or the labels in alphabetical order, numbers in theirs."""
        return tuple(self.given_classes or classes_of(self._rows["label"]))

    def load(self) -> dict[str, ImageSource]:
        """One source for each split that the files name."""
        labels = class_indices(self._rows, self.find_classes())
        paths = self._rows["image"].tolist()
        reader = FileReader(self.root, paths, self.image_size, self.num_channels)
        groups = self._rows["group"].tolist() if "group" in self._rows else ()
        source = ImageSource(reader, labels, paths, groups)
        splits = self._rows["split"].to_numpy()
        return {name: source.subset(np.flatnonzero(splits == name)) for name in set(splits)}

    @cached_property
    def _rows(self) -> Any:
        """A row an image; see `read_rows`."""
        rows = read_rows(self.files, self.layout)
        hint = "name the folder of the images with --data.root"
        if not self.allow_outside:
            text = f"lies outside {self.root}; {hint}, or say --data.allow_outside true"
            refuse(rows, outside(self.root, rows["image"]), text)
        gone = [not (self.root / image).is_file() for image in rows["image"]]
        refuse(rows, gone, f"is not in {self.root}; {hint}")
        return rows
