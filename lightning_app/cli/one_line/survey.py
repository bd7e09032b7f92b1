"""Survey of a dataset: how many images there are, and how large their files are."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from datamodules import ImageDataModule
from datamodules.sources.files import FileReader
from datamodules.sources.image_limits import open_file
from datamodules.sources.packed_images import PackedReader
from datamodules.sources.shards import ShardReader
from datamodules.sources.source import ImageSource

SAMPLED = 64  # files whose header is read


@dataclass(frozen=True)
class Survey:
    """What a dataset consists of.

    Attributes:
        counts: Number of images in each split.
        num_classes: Number of classes.
        side: Median of the shorter sides of the files, in pixels; None if the images are in memory.
        image_size: Side in pixels at which the datamodule delivers the images.
    """

    counts: dict[str, int]
    num_classes: int
    side: int | None
    image_size: int

    @property
    def num_train(self) -> int:
        """Number of training images."""
        return self.counts["train"]

    def __str__(self) -> str:
        verbs = {"train": "train", "val": "validate", "test": "test"}
        known = [split for split in verbs if split in self.counts]
        shown = [f"{self.counts[split]:,} to {verbs[split]}" for split in known]
        return f"{self.num_classes} classes, {', '.join(shown)}"


def survey(data: ImageDataModule) -> Survey:
    """List the images of a datamodule, and read the headers of a few.

    Raises:
        ValueError: If the dataset is missing or cannot be trained on.
    """
    counts = {split: len(source) for split, source in data.sources.items()}
    side = _median_side(data.sources["train"])
    return Survey(counts, data.num_classes, side, data.image_size)


def _median_side(source: ImageSource) -> int | None:
    rows = source.rows[np.linspace(0, len(source) - 1, min(SAMPLED, len(source))).astype(int)]
    sides = [side for row in rows if (side := _shorter_side(source, int(row)))]
    return int(np.median(sides)) if sides else None


def _shorter_side(source: ImageSource, row: int) -> int | None:
    """Of one file; None if the images are no files, or this one cannot be read."""
    reader = source.reader
    file: Path | BinaryIO
    if isinstance(reader, FileReader):
        file = reader.root / reader.paths[row]
    elif isinstance(reader, (PackedReader, ShardReader)):
        file = io.BytesIO(reader.encoded(row))
    else:
        return None
    try:
        if isinstance(file, Path):
            file = open_file(file)  # refuses named pipes, which would block
        with file, Image.open(file) as header:
            return min(header.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # the datamodule reports it before training
