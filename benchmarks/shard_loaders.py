"""Loaders of images from a distant server, for `benchmarks/shards.py`: ours, and three others.

Each module writes the files that its loader reads, and yields batches of decoded images. The
others are imported when they are needed; what is not installed is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader

from datamodules import ImageFolderDataModule, ShardDataModule
from datamodules.sources import shard_cache
from datamodules.sources.shard_index import INDEX, parse_index
from datamodules.sources.squares import decode_square
from datamodules.splits.settings import SplitSettings

SIDE = 32  # of the decoded images: a JPEG file is decoded at an eighth of its size
SHUFFLED = 8  # shards whose images are shuffled together, in ours and in webdataset's buffer
SPLIT = SplitSettings(val_per_class=1, test=0)  # so that nearly all images are read
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


class Place(NamedTuple):
    """Where the files are, and how they are read.

    Attributes:
        files: Folder that is served.
        url: Its URL.
        cache: An empty folder for local copies.
        batch: Images in a batch.
        workers: Loader processes.
    """

    files: Path
    url: str
    cache: Path
    batch: int
    workers: int


class Side(NamedTuple):
    """A loader: what writes its files, and what yields its batches.

    Attributes:
        write: From images, a folder and bytes per file.
        load: Yields batches.
    """

    write: Callable[[Sequence[Path], Path, int], None]
    load: Callable[[Place], Iterable[Any]]


def decode(data: bytes) -> np.ndarray:
    """What all loaders do with the bytes of an image."""
    return decode_square(data, SIDE, 3, "squeeze", "image")


def write_ours(images: Sequence[Path], folder: Path, num_bytes: int) -> None:
    """Tar files with an index, as `prepare shard` writes them."""
    from lightning_app.commands.prepare.shard_writer import write_shards  # needs webdataset

    data = ImageFolderDataModule(
        images[0].parent.parent.parent, image_size=SIDE, num_workers=0, split=SPLIT
    )
    write_shards(data, folder, num_bytes, seed=0)


def load_ours(place: Place) -> Iterable[Any]:
    """Batches of this project."""
    shard_cache.FOLDER = place.cache
    data = ShardDataModule(
        f"{place.url}/ours",
        image_size=SIDE,
        batch_size=place.batch,
        num_workers=place.workers,
        augmentation=[],
        split=SPLIT,
    )
    return data.train_dataloader()


def load_webdataset(place: Place) -> Iterable[Any]:
    """Batches of webdataset, from the same tar files."""
    wds: Any = import_module("webdataset")
    index = parse_index((place.files / "ours" / INDEX).read_bytes(), INDEX).splits["train"]
    urls = [f"{place.url}/ours/{shard.name}" for shard in index.shards]
    buffer = SHUFFLED * index.num_images // len(urls)
    images = (
        wds.WebDataset(urls, shardshuffle=len(urls), workersplitter=wds.split_by_worker)
        .shuffle(buffer)
        .to_tuple("jpg", "cls")
        .map_tuple(decode, int)
        .batched(place.batch)
    )
    return wds.WebLoader(images, batch_size=None, num_workers=place.workers)


def write_litdata(images: Sequence[Path], folder: Path, num_bytes: int) -> None:
    """Chunks of litdata."""
    writer = import_module("litdata.streaming.writer").BinaryWriter(
        str(folder), chunk_bytes=num_bytes
    )
    for number, image in enumerate(images):
        writer[number] = {"image": image.read_bytes(), "label": number % 2}
    writer.done()
    writer.merge()


def load_litdata(place: Place) -> Iterable[Any]:
    """Batches of litdata."""
    litdata, downloader = map(import_module, ("litdata", "litdata.streaming.downloader"))
    downloader._OBSTORE_CLIENT_OPTIONS["allow_http"] = True  # else it takes https only
    images = litdata.StreamingDataset(
        "s3://files/litdata",
        cache_dir=str(place.cache),
        shuffle=True,
        storage_options={"endpoint_url": place.url.removesuffix("/files")},
        transform=lambda item: (decode(item["image"]), item["label"]),
    )
    return litdata.StreamingDataLoader(images, batch_size=place.batch, num_workers=place.workers)


def write_streaming(images: Sequence[Path], folder: Path, num_bytes: int) -> None:
    """Shards of mosaicml-streaming."""
    columns = {"image": "bytes", "label": "int"}
    with import_module("streaming").MDSWriter(
        out=str(folder), columns=columns, size_limit=num_bytes
    ) as writer:
        for number, image in enumerate(images):
            writer.write({"image": image.read_bytes(), "label": number % 2})


def load_streaming(place: Place) -> Iterable[Any]:
    """Batches of mosaicml-streaming."""
    dataset: Any = import_module("streaming").StreamingDataset

    class Images(dataset):
        def __getitem__(self, at: Any) -> Any:
            item = super().__getitem__(at)
            return decode(item["image"]), item["label"]

    images = Images(
        remote="s3://files/streaming",
        local=str(place.cache),
        shuffle=True,
        batch_size=place.batch,
    )
    for stream in images.streams:  # else its processes share one connection, and mix up answers
        stream._downloader.clean_up()
    return DataLoader(images, batch_size=place.batch, num_workers=place.workers)


def _nothing(images: Sequence[Path], folder: Path, num_bytes: int) -> None:
    """The files of ours are read."""


SIDES = {
    "ours": Side(write_ours, load_ours),
    "webdataset": Side(_nothing, load_webdataset),
    "litdata": Side(write_litdata, load_litdata),
    "streaming": Side(write_streaming, load_streaming),
}
torch.set_num_threads(1)
