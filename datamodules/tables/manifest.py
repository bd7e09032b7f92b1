"""The rows of a manifest: image, label and split, and where that is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from typing import Any

import pandas as pd

from datamodules.sources.decode import EXTENSIONS
from datamodules.tables.table import find_column, read_table, refuse

SPLITS = ("train", "val", "test", "predict")
COLUMNS = ("image", "label", "split", "group")


@dataclass(frozen=True)
class Columns:
    """Which column holds what, by its name or its number, counted from 0.

    Attributes:
        image: Path of the image; None for `image`, or the first column of a file without header.
        label: Class of the image; None for `label`, or the second column.
        split: train, val, test or predict; None for `split`, if there is such a column.
        group: What the image is a copy of; None for `group`, if there is such a column.
    """

    image: int | str | None = None
    label: int | str | None = None
    split: int | str | None = None
    group: int | str | None = None


@dataclass(frozen=True)
class Layout:
    """How the files of a manifest are to be read.

    Attributes:
        header: Whether the first line of the files names the columns.
        columns: Which column holds what.
        delimiter: What stands between two values.
        labels: Files that hold the labels of a split row by row, in their last column, where they
            are not in the manifest.
    """

    header: bool = True
    columns: Columns = Columns()
    delimiter: str = ","
    labels: Mapping[str, Path] = field(default_factory=dict)


def manifest_files(manifest: Path | Mapping[str, Path]) -> dict[str, Path]:
    """The file of each split; one that names the splits itself goes under an empty name.

    Raises:
        ValueError: If there is no file for `train`, or a split is none of the four.
    """
    if isinstance(manifest, Mapping):
        if unknown := sorted(set(manifest) - set(SPLITS)):
            raise ValueError(f"manifest names {', '.join(unknown)}; splits are {SPLITS}.")
        return dict(manifest)
    if not manifest.is_dir():
        return {"": manifest}
    files = {split: manifest / f"{split}.csv" for split in SPLITS}
    present = {split: file for split, file in files.items() if file.is_file()}
    if "train" not in present:
        raise ValueError(f"The folder {manifest} has no train.csv.")
    return present


def read_rows(files: Mapping[str, Path], layout: Layout) -> Any:
    """A row an image: image, label, split, perhaps group, and the file and line it is from.

    Args:
        files: The file of each split, or one under an empty name.
        layout: How to read them.

    Raises:
        ValueError: If a column or a label is missing, an image is listed twice, a split is none of
            the four, or nothing is there to train on.
    """
    tables = [_read(split, file, layout) for split, file in files.items()]
    rows = pd.concat(tables, ignore_index=True)
    refuse(rows, ~rows["split"].isin(SPLITS), f"is no split: expected one of {SPLITS}", "split")
    tests = rows["split"] == "test"
    if bool(tests.any()) and bool((rows["label"][tests] == "").all()):
        rows["split"] = rows["split"].where(~tests, "predict")
    refuse(rows, (rows["label"] == "") & (rows["split"] != "predict"), "has no label")
    refuse(rows, rows["image"].map(normpath).duplicated(), "is listed a second time")
    if "group" in rows:
        rows["group"] = rows["group"].where(rows["group"] != "", rows["image"])
    if "train" not in set(rows["split"]):
        raise ValueError(f"{rows['@file'].iloc[0]} has no row of the split 'train'.")
    return rows


def _read(split: str, file: Path, layout: Layout) -> Any:
    """The rows of one file."""
    table = read_table(file, layout.header, layout.delimiter)
    if layout.header and Path(str(table.columns[0])).suffix.lower() in EXTENSIONS:
        raise ValueError(
            f"The first line of {file} names an image, not the columns: say --data.header false."
        )
    names = COLUMNS if layout.header else (0, 1, "split", "group")
    found = {
        name: find_column(table, getattr(layout.columns, name), default, f"data.columns.{name}")
        for name, default in zip(COLUMNS, names, strict=True)
    }
    if split in layout.labels:
        found["label"] = _labels_apart(layout.labels[split], table, layout)
    needed = ("image",) if split in ("test", "predict") else ("image", "label")
    for name in needed:
        if found[name] is None:
            columns = ", ".join(str(column) for column in table.columns[:-2])
            raise ValueError(
                f"{file} has no column {name!r}; it has {columns}. Name it with "
                f"--data.columns.{name}."
            )
    found = {name: column for name, column in found.items() if column is not None}
    rows = pd.DataFrame({"label": "", **found, "@file": table["@file"], "@line": table["@line"]})
    rows["label"] = rows["label"].str.strip()
    return rows.assign(split=split or rows.get("split", "train"))


def _labels_apart(file: Path, table: Any, layout: Layout) -> Any:
    """The labels that lie in a file of their own."""
    labels = read_table(file, layout.header, layout.delimiter)
    if len(labels) != len(table):
        raise ValueError(
            f"{file} has {len(labels)} rows, but {table['@file'].iloc[0]} has {len(table)}."
        )
    return labels[labels.columns[-3]]  # the two after it are `file` and `line`
