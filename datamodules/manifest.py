"""Images listed in a CSV file."""

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.augmentation import Transform, photo_augmentation
from datamodules.base import ImageDataModule, Split
from datamodules.source import FileSource

SPLITS = ("train", "val", "test")


class ManifestDataModule(ImageDataModule):
    """A CSV file with a row an image: path and label, and perhaps the split it belongs to.

    Args:
        manifest: The CSV file, with a header: `image`, `label`, and if wanted `split`, which says
            train, val or test. Without it, or where a split has no row, it is split off.
        root: Folder that the paths are relative to; None for the manifest's own.
        image_size: Side in pixels of the square that images are squeezed to.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process.
        num_workers: Loader processes; None takes one a core, at most eight.
        augmentation: albumentations for training images; None for `photo_augmentation`.
        split: Shares of the images to validate and to test on, where no row says so.

    Raises:
        ValueError: If a column, a label or an image is missing, a path leaves the root, or a
            split is none of the three.
    """

    def __init__(
        self,
        manifest: Path,
        root: Path | None = None,
        image_size: int = 224,
        num_channels: int = 3,
        batch_size: int = 32,
        num_workers: int | None = None,
        augmentation: list[Transform] | None = None,
        split: Split = Split(),
    ) -> None:
        transforms = photo_augmentation() if augmentation is None else augmentation
        super().__init__(image_size, num_channels, batch_size, num_workers, transforms, split)
        self.manifest = manifest
        self.root = manifest.parent if root is None else root

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The labels in the file, in alphabetical order."""
        return tuple(sorted(set(self._rows["label"])))

    def load(self) -> dict[str, FileSource]:
        """One source for each split that the file names."""
        return {
            str(split): FileSource(
                self.root,
                rows["image"].tolist(),
                np.array([self.class_names.index(label) for label in rows["label"]], np.int64),
                self.image_size,
                self.num_channels,
            )
            for split, rows in self._rows.groupby("split", sort=False)
        }

    @cached_property
    def _rows(self) -> pd.DataFrame:
        if not self.manifest.is_file():
            raise ValueError(f"There is no manifest {self.manifest}.")
        # As text, and nothing taken for missing: a class may be called NA.
        rows = pd.read_csv(self.manifest, dtype=str, keep_default_na=False)
        for column in ("image", "label"):
            if column not in rows:
                raise ValueError(
                    f"{self.manifest} has no column {column!r}; it has {', '.join(rows.columns)}."
                )
        rows = rows if "split" in rows else rows.assign(split="train")
        self._refuse(rows[rows["label"] == ""], "has no label")
        self._refuse(rows[~rows["split"].isin(SPLITS)], f"has a split that is none of {SPLITS}")
        self._refuse(rows[~rows["image"].map(self._inside)], f"leaves the root {self.root}")
        missing = [not (self.root / image).is_file() for image in rows["image"]]
        self._refuse(rows[missing], f"names a file that {self.root} lacks")
        if not (rows["split"] == "train").any():
            raise ValueError(f"{self.manifest} has no row of the split 'train'.")
        return rows

    def _inside(self, image: str) -> bool:
        return (self.root / image).resolve().is_relative_to(self.root.resolve())

    def _refuse(self, rows: pd.DataFrame, what: str) -> None:
        if len(rows):
            line = int(rows.index[0]) + 2  # counted from 1, after the header
            more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
            raise ValueError(f"{self.manifest}, line {line}: {rows.iloc[0]['image']!r} {what}{more}.")
