"""Shard writer: the images of a datamodule as tar files that any WebDataset reader can read."""

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm
from webdataset.writer import ShardWriter

from datamodules import ImageDataModule
from datamodules.sources.cache import PATIENCE
from datamodules.sources.files import FileReader
from datamodules.sources.image_limits import read_file
from datamodules.sources.readability import readable
from datamodules.sources.shard_index import INDEX, ShardIndex, SplitIndex, stored_file
from datamodules.sources.shards import ShardReader
from datamodules.sources.source import UNLABELLED, ImageSource

LABEL, FACTS = "cls", "json"  # endings of the files with class index, and with name, class, group
PLACE = ("extension", "shard", "offset", "size")  # columns of the table


def write_shards(data: ImageDataModule, folder: Path, max_bytes: int, seed: int) -> ShardIndex:
    """Write all splits of a datamodule, each in an order drawn from the seed, and their index.

    Image files are stored unchanged; other images are encoded as PNG, without loss.

    Args:
        data: The datamodule; images that its options leave out are not written.
        folder: An empty folder.
        max_bytes: A shard of at least this size gets no further image.
        seed: Another seed gives another order.

    Raises:
        UnreadableImageError: If a file cannot be read, and `options.on_error` is `raise`.
    """
    present = {split: source for split, source in data.sources.items() if len(source)}
    names = data.class_names
    splits = {
        split: _write_split(split, source, names, folder, max_bytes, seed)
        for split, source in readable(present, data.options.on_error, names).items()
    }
    index = ShardIndex(names, splits)
    (folder / INDEX).write_text(index.to_json(), encoding="utf-8")
    return index


def _write_split(
    split: str,
    source: ImageSource,
    class_names: tuple[str, ...],
    folder: Path,
    max_bytes: int,
    seed: int,
) -> SplitIndex:
    """Write the shards and the table of one split."""
    shuffled = source.subset(np.random.default_rng(seed).permutation(len(source)))
    shards, places = [], []

    def note(file: str) -> None:
        places.extend(_places(Path(file), len(shards)))
        shards.append(stored_file(Path(file)))

    pattern = f"{folder.resolve()}/".replace("%", "%%") + f"{split}-%06d.tar"
    limits = {"maxsize": max_bytes, "maxcount": len(source) + 1}
    facts = {"mtime": 0, "user": "", "group": ""}  # so that the same images give the same bytes
    with ShardWriter(pattern, post=note, verbose=0, **limits, **facts) as writer:
        for index in tqdm(range(len(source)), split, unit="img", delay=PATIENCE, leave=False):
            writer.write(
                {"__key__": f"{split}-{index:08d}", **_sample(shuffled, index, class_names)}
            )
    groups = {"group": list(shuffled.groups)} if shuffled.groups else {}
    table = pd.DataFrame({"name": list(shuffled.names), "label": shuffled.labels, **groups})
    file = folder / f"{split}.parquet"
    table.join(pd.DataFrame(places, columns=pd.Index(PLACE))).to_parquet(
        file, engine="pyarrow", index=False
    )
    return SplitIndex(len(source), stored_file(file), tuple(shards))


def _sample(source: ImageSource, index: int, class_names: tuple[str, ...]) -> Mapping[str, Any]:
    """Content of the files of one image, by their endings."""
    label = int(source.labels[index])
    known = label != UNLABELLED
    facts = {"name": source.names[index], "label": class_names[label] if known else None}
    if source.groups:
        facts["group"] = source.groups[index]
    extension, image = _encoded(source, index)
    return {extension: image, FACTS: facts, **({LABEL: label} if known else {})}


def _encoded(source: ImageSource, index: int) -> tuple[str, bytes]:
    """The extension and the bytes of an image file."""
    reader, row = source.reader, int(source.rows[index])
    if isinstance(reader, ShardReader):
        return reader.extensions[row], reader.encoded(row)
    if isinstance(reader, FileReader):
        file = reader.root / reader.paths[row]
        return file.suffix[1:].lower() or "img", read_file(file)
    image = reader.read(row)
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))  # OpenCV has BGR
    return "png", encoded.tobytes()


def _places(file: Path, shard: int) -> list[tuple[str, int, int, int]]:
    """Positions of the images in a shard, in order; see `PLACE`."""
    with tarfile.open(file) as tar:
        members = [(member.name.rpartition(".")[2], member) for member in tar]
    return [
        (extension, shard, member.offset_data, member.size)
        for extension, member in members
        if extension not in (LABEL, FACTS)
    ]
