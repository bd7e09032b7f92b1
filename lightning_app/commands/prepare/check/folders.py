"""Listing of class folders, by the reader of `ImageFolderDataModule`."""

from collections import defaultdict
from pathlib import Path

from datamodules.class_folders import ClassFolders, read_class_folders
from datamodules.complaints import Complaint, Item, Kind
from datamodules.walk_folders import files_below, is_image
from lightning_app.commands.prepare.check.facts import format_of
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, about
from lightning_app.commands.prepare.check.listing import Listing, findings_of


def list_folders(
    root: Path, predict: Path | None = None, allow_outside: bool = False, pattern: str | None = None
) -> Listing:
    """The images of class folders below the root, or below its folders of splits.

    Args:
        root: See `read_class_folders`, also for the others.
        predict: Folder of images to predict.
        allow_outside: Whether to follow links.
        pattern: Finds the class in the name of a file.

    Raises:
        ValueError: If there is no folder of training images, or no image in it.
    """
    complaints: list[Complaint] = []
    found = read_class_folders(root, predict, complaints.append, allow_outside, pattern)
    entries = []
    for split in found.names:
        folder, names = found.names_below_root(split)
        labels = zip(names, found.labels(split), strict=True)
        entries += [Entry(name, folder / name, split, label) for name, label in labels]
    complaints += _outside_splits(found)
    others = [item.name for c in complaints if c.kind == "other file" for item in c.items]
    return Listing(root, entries, [*findings_of(complaints), *_other_files(root, others)])


def _outside_splits(found: ClassFolders) -> list[Complaint]:
    """Files beside the folders of the splits, where no datamodule looks for them."""
    if found.folders["train"] == found.root:
        return []
    items: dict[Kind, list[Item]] = defaultdict(list)
    for file in files_below(found.root, skip=found.folders.values()):
        name = file.relative_to(found.root).as_posix()
        if file.is_symlink() and file.is_dir():
            items["link"].append(Item(name, f"to {file.readlink()}"))
        else:
            kind: Kind = "image outside class folders" if is_image(file) else "other file"
            items[kind].append(Item(name))
    return [Complaint(kind, tuple(of_kind)) for kind, of_kind in items.items()]


def _other_files(root: Path, names: list[str]) -> list[Finding]:
    """Files without the ending of an image, with those that are images nevertheless."""
    formats = {name: format_of(root / name) for name in names}
    return [
        *about(
            "warning",
            "Images without the ending of an image",
            "They are left out, because files are selected by their endings. Rename them.",
            [Exhibit(name, kind) for name, kind in formats.items() if kind],
        ),
        *about(
            "note",
            "Other files",
            "They are left out, because they are not image files.",
            [Exhibit(name) for name, kind in formats.items() if not kind],
        ),
    ]
