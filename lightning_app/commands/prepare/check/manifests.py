"""CSV manifests, as `ManifestDataModule` reads them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.sources.files import outside
from datamodules.tables.table import find_column, read_table
from lightning_app.commands.prepare.check.findings import SPLITS, Entry, Exhibit, Finding, about
from lightning_app.commands.prepare.check.listing import Listing, files_below, is_image


def manifest_files(data: Path) -> dict[str, Path]:
    """The file of each split; one that names the splits itself goes under an empty name.

    Returns:
        Nothing if the data are a folder without `train.csv`.
    """
    if not data.is_dir():
        return {"": data}
    files = {split: data / f"{split}.csv" for split in SPLITS}
    present = {split: file for split, file in files.items() if file.is_file()}
    return present if "train" in present else {}


def list_manifest(files: Mapping[str, Path], root: Path | None, delimiter: str) -> Listing:
    """The images that CSV files name.

    Args:
        files: What `manifest_files` gave.
        root: Folder that the paths are relative to; None for that of the files.
        delimiter: What stands between two values.

    Raises:
        ValueError: If a file is no table, or has no column `image` or `label`, or there is no
            usable row of the training images.
    """
    folder = root or next(iter(files.values())).parent
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder} (--root).")
    rows: Any = pd.concat([_read(*item, delimiter) for item in files.items()], ignore_index=True)
    listed, findings = set(rows["image"]), []
    for problems in (_wrong_rows, _wrong_files):
        told = [(title, advice, rows[wrong]) for title, advice, wrong in problems(rows, folder)]
        for title, advice, wrong in told:
            findings += about("error", title, advice, _exhibits(wrong))
            rows = rows.drop(wrong.index, errors="ignore")
    if not (rows["split"] == "train").any():
        raise ValueError(
            f"{next(iter(files.values()))} names no training image that is in {folder}; name the "
            "folder of the images with --root."
        )
    entries = [
        Entry(row.image, folder / row.image, row.split, row.label, row.group)
        for row in rows.itertuples()
    ]
    return Listing(folder, entries, [*findings, *_unlisted(folder, listed)])


def _read(split: str, file: Path, delimiter: str) -> Any:
    table = read_table(file, delimiter=delimiter)
    columns = {name: find_column(table, None, name, "") for name in ("image", "label", "split")}
    group = find_column(table, None, "group", "")
    needed = ("image",) if split in ("test", "predict") else ("image", "label")
    if missing := [name for name in needed if columns[name] is None]:
        names = ", ".join(str(name) for name in table.columns[:-2])
        raise ValueError(f"{file} has no column {missing[0]!r}; it has {names}.")
    label = columns["label"]
    return pd.DataFrame(
        {
            "image": columns["image"],
            "label": "" if label is None else label.str.strip(),
            "split": split or ("train" if columns["split"] is None else columns["split"]),
            "group": "" if group is None else group,
            "place": [f"{file.name}, line {line}" for line in table["@line"]],
        }
    )


def _wrong_rows(rows: Any, folder: Path) -> list[tuple[str, str, Any]]:
    """What is wrong with rows by themselves: title, advice, and one truth value a row."""
    refused = "Training refuses the manifest."
    tests = rows["split"] == "test"
    unlabelled_test = tests.any() and (rows["label"][tests] == "").all()
    optional = rows["split"].isin(["predict", *(["test"] if unlabelled_test else [])])
    return [
        (
            "Rows of an unknown split",
            f"{refused} Splits are {', '.join(SPLITS)}.",
            ~rows["split"].isin(SPLITS),
        ),
        (
            "Rows without a label",
            f"{refused} Only images to predict, and a test set as a whole, can do without.",
            (rows["label"] == "") & ~optional,
        ),
        (
            "Rows that name an image a second time",
            f"{refused} If the rows differ in split or label, one of them is wrong.",
            rows["image"].duplicated(),
        ),
    ]


def _wrong_files(rows: Any, folder: Path) -> list[tuple[str, str, Any]]:
    """As `_wrong_rows`, with what is wrong with the files that rows name."""
    refused = "Training refuses the manifest."
    far = pd.Series(outside(folder, rows["image"]), index=rows.index, dtype=bool)
    here = pd.Series([(folder / name).is_file() for name in rows["image"]], rows.index, dtype=bool)
    return [
        (
            "Images outside the root",
            f"{refused} Paths and links must not leave {folder}; name another folder with --root, "
            "and with --data.root when training, or say --data.allow_outside true there.",
            far,
        ),
        (
            "Images that do not exist",
            f"{refused} They are not in {folder}; name another folder with --root, and with "
            "--data.root when training.",
            ~here & ~far,
        ),
    ]


def _exhibits(rows: Any) -> list[Exhibit]:
    return [Exhibit(*pair) for pair in zip(rows["image"], rows["place"], strict=True)]


def _unlisted(folder: Path, listed: set[str]) -> list[Finding]:
    known = {os.path.normpath(name) for name in listed}
    names = [file.relative_to(folder).as_posix() for file in files_below(folder) if is_image(file)]
    return about(
        "note",
        "Images that no manifest names",
        "They are left out. Is the manifest older than the folder?",
        [Exhibit(name) for name in names if os.path.normpath(name) not in known],
    )
