"""From rows of tables that hold images to the reader of these images."""

from pathlib import Path
from typing import Any

import numpy as np

from datamodules.sources.packed_images import PackedReader, pack
from datamodules.sources.resizing import Resize
from datamodules.tables.table import place_of


def packed_reader(rows: Any, image_size: int, num_channels: int, resize: Resize) -> PackedReader:
    """The reader of the images of rows with `@row`; they are packed if they are not yet."""
    kinds = list(dict.fromkeys(zip(rows["@place"], rows["@column"], strict=True)))
    packs = [pack(Path(place), column) for place, column in kinds]
    index = {kind: number for number, kind in enumerate(kinds)}
    of_rows = [index[kind] for kind in zip(rows["@place"], rows["@column"], strict=True)]
    places = np.column_stack([of_rows, rows["@row"]]).astype(np.int64)
    names = [
        place_of(row) + (f": {row['image']}" if row["image"] else "")
        for row in rows[["@file", "@line", "image"]].to_dict("records")
    ]
    return PackedReader(packs, places, names, image_size, num_channels, resize)


def names_of(rows: Any) -> list[str]:
    """A name for each image: its path, or its file and row if not all images have one."""
    names = rows["image"].tolist()
    if "@row" not in rows or (all(names) and len(set(names)) == len(names)):
        return names
    rows_of = list(zip(rows["@file"], rows["@line"], strict=True))
    names = [f"{Path(file).name}:{line}" for file, line in rows_of]
    if len(set(names)) == len(names):
        return names
    return [
        f"{Path(file).parent.name}/{name}" for (file, _), name in zip(rows_of, names, strict=True)
    ]
