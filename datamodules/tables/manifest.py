"""Manifests: the rows of CSV files that list images, each with its label and split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, raise_error
from datamodules.names import composed, spelled_as
from datamodules.sources.decode import EXTENSIONS
from datamodules.sources.files import is_file, outside
from datamodules.splits.names import SPLITS
from datamodules.tables.table import find_column, read_table, refuse

COLUMNS = ("image", "label", "split", "group")


@dataclass(frozen=True)
class Columns:
    """Which column holds what, by its name or its number, counted from 0.

    Attributes:
        image: Path of the image; None for `image`, or the first column of a file without header.
        label: Class of the image; None for `label`, or the second column.
        split: train, val, test or predict; None for `split`, if there is such a column.
        group: The original that the image is a copy of; None for `group`, if there is such a
            column.
    """

    image: int | str | None = None
    label: int | str | None = None
    split: int | str | None = None
    group: int | str | None = None


@dataclass(frozen=True)
class Layout:
    """How to read the files of a manifest.

    Attributes:
        header: Whether the first line of the files names the columns.
        columns: Which column holds what.
        delimiter: The character between two values.
        labels: For each split whose labels are in a file of their own: that file, with one label
            per row in its last column.
    """

    header: bool = True
    columns: Columns = Columns()
    delimiter: str = ","
    labels: Mapping[str, Path] = field(default_factory=dict)


def manifest_files(manifest: Path | str | Mapping[str, Path | str]) -> dict[str, Path]:
    """The file of each split; a single file with all splits is under an empty name.

    Raises:
        ValueError: If there is no file for `train`, or a split is unknown.
    """
    if isinstance(manifest, Mapping):
        if unknown := sorted(set(manifest) - set(SPLITS)):
            raise ValueError(f"manifest names {', '.join(unknown)}; splits are {SPLITS}.")
        return {split: Path(file) for split, file in manifest.items()}
    manifest = Path(manifest)
    if not manifest.is_dir():
        return {"": manifest}
    files = {split: manifest / f"{split}.csv" for split in SPLITS}
    present = {split: file for split, file in files.items() if file.is_file()}
    if "train" not in present:
        raise ValueError(f"The folder {manifest} has no train.csv.")
    return dict(present)


def read_rows(files: Mapping[str, Path], layout: Layout, complain: Complain = raise_error) -> Any:
    """One row per image: image, label, split, perhaps group, and the file and line of the row.

    Args:
        files: The file of each split, or one under an empty name.
        layout: How to read them.
        complain: Called with rows that are wrong, which are then left out.

    Raises:
        ValueError: If a column is missing, there is no training image, or `complain` raises.
    """
    tables = [_read(split, file, layout) for split, file in files.items()]
    rows = pd.concat(tables, ignore_index=True)

    def check(wrong: Any, what: str, column: str, kind: Any) -> Any:
        return refuse(rows, wrong, what, column, kind, complain)

    known = f"is not a split: expected one of {SPLITS}"
    rows = check(~rows["split"].isin(SPLITS), known, "split", "unknown split")
    tests = rows["split"] == "test"
    if bool(tests.any()) and bool((rows["label"][tests] == "").all()):
        rows["split"] = rows["split"].where(~tests, "predict")
    unlabelled = (rows["label"] == "") & (rows["split"] != "predict")
    rows = check(unlabelled, "has no label", "image", "missing label")
    repeated = rows["image"].map(normpath).duplicated()
    rows = check(repeated, "is listed a second time", "image", "duplicate row")
    if "group" in rows:
        rows["group"] = rows["group"].where(rows["group"] != "", rows["image"])
    if "train" not in set(rows["split"]):
        raise ValueError(f"{next(iter(files.values()))} has no row of the split 'train'.")
    return rows


def inside_root(rows: Any, root: Path, hint: str, complain: Complain = raise_error) -> Any:
    """Rows whose paths and links do not lead out of the root.

    Args:
        rows: See `read_rows`.
        root: Folder that the paths are relative to.
        hint: What the user can do, for the message.
        complain: Called with the other rows.
    """
    leads_out = outside(root, rows["image"])
    return refuse(
        rows, leads_out, f"lies outside {root}; {hint}", "image", "image outside root", complain
    )


def existing(rows: Any, root: Path, hint: str, complain: Complain = raise_error) -> Any:
    """Rows whose images exist; see `inside_root`."""
    rows = rows.assign(
        image=[spelled_as(i, lambda path: is_file(root / path)) for i in rows["image"]]
    )
    gone = [not is_file(root / image) for image in rows["image"]]
    return refuse(rows, gone, f"is not in {root}; {hint}", "image", "missing image", complain)


def _read(split: str, file: Path, layout: Layout) -> Any:
    """The rows of one file."""
    table = read_table(file, layout.header, layout.delimiter)
    if layout.header and Path(str(table.columns[0])).suffix.lower() in EXTENSIONS:
        raise ValueError(
            f"The first line of {file} names an image, not the columns: set --data.header false."
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
    rows["label"] = rows["label"].str.strip().map(composed)
    return rows.assign(split=split or rows.get("split", "train"))


def _labels_apart(file: Path, table: Any, layout: Layout) -> Any:
    """The labels from a file of their own."""
    labels = read_table(file, layout.header, layout.delimiter)
    if len(labels) != len(table):
        raise ValueError(
            f"{file} has {len(labels)} rows, but {table['@file'].iloc[0]} has {len(table)}."
        )
    return labels[labels.columns[-3]]  # the two after it are `@file` and `@line`
