"""Datamodule of shards: WebDataset tar files, for datasets that do not fit on a disk."""

from functools import cached_property
from typing import Literal

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import BatchSize, Options
from datamodules.redaction import redact_text
from datamodules.sources.resizing import Resize
from datamodules.sources.shard_index import ShardIndex, parse_table
from datamodules.sources.shards import ShardReader, ShardStore
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings

GIGABYTE = 10**9


class ShardDataModule(ImageDataModule):
    """Shards written by `lightning_cli prepare shard`, on a disk or wherever fsspec can read.

    A shard at a URL is fetched whole, once for all processes of a machine, and kept in
    `mlruns/cache/shards`. Training shuffles the shards, and the images within groups of eight
    shards, so that only a few are needed at a time; the next eight are fetched meanwhile.

    Args:
        root: Folder of the shards, or its URL: `https://`, `s3://`, and others.
        cache_gb: Gigabytes of shards from a URL to keep. Shards in use, about eight per process,
            are never deleted; the next ones are fetched ahead if they fit.
        image_size: Side in pixels of the square that images are resized to.
        resize: `squeeze` images into a square, `crop` the square in their middle, or `pad` them
            with black bars.
        num_channels: 3 to read as RGB, 1 as grey.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; None takes one per core, at most 16.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How to split off images to validate and to test on, if the shards have none.
        options: See `Options`.

    Raises:
        ValueError: If there is no index, or a file differs from its entry in the index.
    """

    def __init__(
        self,
        root: str,
        cache_gb: float = 20.0,
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
        if cache_gb <= 0:
            raise ValueError(f"data.cache_gb is {cache_gb:g}; expected more than 0.")
        self.place = redact_text(root)
        self.store = ShardStore(root, int(cache_gb * GIGABYTE))

    def find_classes(self) -> tuple[str, ...]:
        """The classes in the index."""
        return self._index.class_names

    def load(self) -> dict[str, ImageSource]:
        """Read the positions of the images; no shard is opened."""
        return {split: self._source(split) for split in self._index.splits}

    @cached_property
    def _index(self) -> ShardIndex:
        return self.store.index()

    def _source(self, split: str) -> ImageSource:
        files = self._index.splits[split]
        name = f"{self.place}: {files.table.name}"
        with self.store.open(files.table) as stream:
            images = parse_table(stream.read(), name, len(self._index.class_names))
        reader = ShardReader(
            self.store, files.shards, images, self.image_size, self.num_channels, self.resize
        )
        groups = images["group"].tolist() if "group" in images else ()
        return ImageSource(reader, images["label"].to_numpy(np.int64), reader.names, groups)
