"""Images listed in a CSV file."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import Options
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageSource
from datamodules.splits.split import Split

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
        self.manifest = manifest
        self.root = manifest.parent if root is None else root

    def find_classes(self) -> tuple[str, ...]:
        """The labels in the file, in alphabetical order."""
        return tuple(sorted(set(self._rows["label"])))

    def load(self) -> dict[str, ImageSource]:
        """One source for each split that the file names."""
        index = {name: label for label, name in enumerate(self.find_classes())}
        return {
            str(split): ImageSource(
                FileReader(self.root, rows["image"].tolist(), self.image_size, self.num_channels),
                rows["label"].map(index).to_numpy(np.int64),
                rows["image"].tolist(),
            )
            for split, rows in self._rows.groupby("split", sort=False)
        }

    @cached_property
    def _rows(self) -> Any:
        if not self.manifest.is_file():
            raise ValueError(f"There is no manifest {self.manifest}.")
        # As text, and nothing taken for missing: a class may be called NA.
        rows: Any = pd.read_csv(self.manifest, dtype=str, keep_default_na=False)
        for column in ("image", "label"):
            if column not in rows:
                raise ValueError(
                    f"{self.manifest} has no column {column!r}; it has {', '.join(rows.columns)}."
                )
        rows = rows if "split" in rows else rows.assign(split="train")
        images, root = rows["image"], self.root
        hint = "name the folder of the images with --data.root"
        self._refuse(images[images.duplicated()], "is listed a second time")
        self._refuse(images[rows["label"] == ""], "has no label")
        self._refuse(images[~rows["split"].isin(SPLITS)], f"has a split that is none of {SPLITS}")
        self._refuse(
            images[[not self._inside(image) for image in images]], f"lies outside {root}; {hint}"
        )
        self._refuse(
            images[[not (root / image).is_file() for image in images]], f"is not in {root}; {hint}"
        )
        if "train" not in rows["split"].tolist():
            raise ValueError(f"{self.manifest} has no row of the split 'train'.")
        return rows

    def _inside(self, image: str) -> bool:
        return (self.root / image).resolve().is_relative_to(self.root.resolve())

    def _refuse(self, images: Any, what: str) -> None:
        """Raise if there is one, with the line of the first."""
        if len(images):
            line = int(images.index[0]) + 2  # counted from 1, after the header
            more = f" (and {len(images) - 1} more rows)" if len(images) > 1 else ""
            raise ValueError(f"{self.manifest}, line {line}: {images.iloc[0]!r} {what}{more}.")
