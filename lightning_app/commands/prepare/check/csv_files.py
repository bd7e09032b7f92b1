"""Listing of tables, by the readers of `ManifestDataModule` and `PixelCSVDataModule`."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datamodules.complaints import Complain, Complaint
from datamodules.sources.source import UNLABELLED
from datamodules.tables.label_values import cleaned
from datamodules.tables.labels import class_indices, with_known_labels
from datamodules.tables.located import located
from datamodules.tables.manifest import read_rows
from datamodules.tables.manifest_file import Layout
from datamodules.tables.packed_rows import names_of, packed_reader
from datamodules.tables.pixels import USAGES, parse_pixels, with_splits
from datamodules.walk_folders import files_below, is_image
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, about
from lightning_app.commands.prepare.check.listing import Listing, findings_of


def list_manifest(
    files: Mapping[str, Path],
    root: Path | None = None,
    layout: Layout = Layout(),
    allow_outside: bool = False,
) -> Listing:
    """The images that tables list or hold.

    Args:
        files: The file of each split, or one under an empty name.
        root: Folder that the paths are relative to; None for the folder of the files.
        layout: How to read the tables.
        allow_outside: Whether paths may lead out of the root.

    Raises:
        ValueError: If a file is not a table, or lacks a column, or no training image exists.
    """
    folder = root or next(iter(files.values())).parent
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder} (--root).")
    complaints: list[Complaint] = []
    listed: set[str] = set()

    def complain(complaint: Complaint) -> None:
        complaints.append(complaint)
        listed.update(item.name for item in complaint.items)

    hint = "name another folder with --root"
    rows = read_rows(files, layout, complain)
    rows = located(rows, folder, hint, complain, allow_outside)
    if "train" not in set(rows["split"]):
        raise ValueError(
            f"{next(iter(files.values()))} lists no training image that exists in {folder}; name "
            f"the folder of the images with --root.{_about_outside(complaints)}"
        )
    rows = _with_class_names(rows, tuple(layout.class_names), complain)
    groups = rows["group"] if "group" in rows else [""] * len(rows)
    columns = zip(names_of(rows), rows["split"], rows["label"], groups, strict=True)
    if "@row" in rows:
        return Listing(folder, _packed(rows, columns), findings_of(complaints))
    entries = [
        Entry(image, folder / image, split, label, group) for image, split, label, group in columns
    ]
    listed |= set(rows["image"])
    return Listing(folder, entries, [*findings_of(complaints), *_unlisted(folder, listed)])


def _about_outside(complaints: Iterable[Complaint]) -> str:
    """A sentence about images outside of the root; empty if there is none."""
    outside = [c for c in complaints if c.kind == "image outside root"]
    if not outside:
        return ""
    return f" {len(outside[0].items):,} lie outside of it: --data.allow_outside true reads them."


def list_pixels(
    files: Mapping[str, Path],
    class_names: Sequence[str] = (),
    usages: Mapping[str, str] = USAGES,
) -> Listing:
    """The images that lie in CSV files.

    Args:
        files: The file of each split, or one under an empty name.
        class_names: Names of the classes; empty takes the labels as names.
        usages: Split for each value of the column of splits.

    Raises:
        ValueError: If a file is not a table, lacks a column or holds no image, or there is no
            training image.
    """
    complaints: list[Complaint] = []
    entries: list[Entry] = []
    for split, file in files.items():
        images, rows = parse_pixels(file, complaints.append)
        rows = cleaned(rows, class_names, complaints.append)
        rows = with_splits(rows, split, usages, complaints.append)
        rows = _with_class_names(rows, class_names, complaints.append)
        entries += [
            Entry(row.image, file, row.split, row.label, pixels=images[row.Index])
            for row in rows.itertuples()
        ]
    if not any(entry.split == "train" for entry in entries):
        raise ValueError(f"{next(iter(files.values()))} has no row of the split 'train'.")
    return Listing(next(iter(files.values())).parent, entries, findings_of(complaints))


def _packed(rows: Any, columns: Iterable[tuple[str, str, str, str]]) -> list[Entry]:
    """Images that are inside of the tables."""
    reader = packed_reader(rows, 1, 3, "squeeze")
    return [
        Entry(name, Path(file), split, label, group, encoded=partial(reader.encoded, number))
        for number, (file, (name, split, label, group)) in enumerate(
            zip(rows["@file"], columns, strict=True)
        )
    ]


def _with_class_names(rows: Any, class_names: Sequence[str], complain: Complain) -> Any:
    """The rows with a known label, which becomes the name of its class."""
    if not class_names:
        return rows
    rows = with_known_labels(rows, class_names, complain)
    names = {**dict(enumerate(class_names)), UNLABELLED: ""}
    return rows.assign(label=[names[index] for index in class_indices(rows, class_names).tolist()])


def _unlisted(folder: Path, listed: set[str]) -> list[Finding]:
    normal: Callable[[str], str] = os.path.normpath
    known = set(map(normal, listed))
    names = [file.relative_to(folder).as_posix() for file in files_below(folder) if is_image(file)]
    return about(
        "note",
        "Images that no manifest lists",
        "They are left out. Is the manifest older than the folder?",
        [Exhibit(name) for name in names if normal(name) not in known],
    )
