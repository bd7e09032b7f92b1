"""Class folders: which images lie in them, and in which split and class; without torch."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from datamodules.complaints import Complain, Complaint, Item, Kind, raise_error
from datamodules.flat_folders import about_flat, complain_of_unfit
from datamodules.folder_warnings import complain_of_similar, complain_of_unused
from datamodules.images_of_split import images_of
from datamodules.left_out_images import about_unread, lost_classes
from datamodules.names import composed, in_order, is_text, shown
from datamodules.sources.text_array import TextArray, text_array
from datamodules.split_folders import FOLDERS, split_folders
from datamodules.tables.name_labels import compiled, labels_from_names
from datamodules.walk_folders import (
    image_extensions,
    is_hidden,
)

SHOWN = 5  # links in a message


@dataclass(frozen=True)
class ClassFolders:
    """The images of class folders.

    Attributes:
        root: Folder that holds the class folders, or the folders of splits.
        folders: Folder of each split; that of `train` is the root if there are no split folders.
        names: Path of each image relative to the folder of its split, sorted.
        pattern: Finds the class in the name of a file; None if folders are the classes.
    """

    root: Path
    folders: Mapping[str, Path]
    names: Mapping[str, Sequence[str]]
    pattern: re.Pattern[str] | None = None
    _labels: dict[str, Sequence[str]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The classes of training images, in numerical or alphabetical order."""
        return tuple(in_order(set(self.labels("train")) - {""}))

    def labels(self, split: str) -> Sequence[str]:
        """Class of each image of a split; empty for `predict`."""
        if split not in self._labels:
            self._labels[split] = self._labels_of(split)
        return self._labels[split]

    def _labels_of(self, split: str) -> list[str]:
        names = self.names[split]
        if split == "predict":
            return [""] * len(names)
        if self.pattern is not None:
            return list(map(composed, labels_from_names(names, self.pattern)))
        return [_composed_once(name.partition("/")[0]) for name in names]

    def names_below_root(self, split: str) -> tuple[Path, TextArray]:
        """A folder and the path of each image relative to it.

        The folder is the root, so that the names tell the splits apart; if the images to predict
        lie elsewhere, it is their own folder.
        """
        folder = self.folders[split]
        if not folder.is_relative_to(self.root):
            return folder, text_array(self.names[split])
        prefix = folder.relative_to(self.root).as_posix()
        if prefix == ".":
            return self.root, text_array(self.names[split])
        return self.root, TextArray(f"{prefix}/{name}" for name in self.names[split])


_composed_once = cache(composed)  # one text for all images of a class


def read_class_folders(
    root: Path,
    predict: Path | None = None,
    complain: Complain = raise_error,
    allow_outside: bool = False,
    pattern: str | None = None,
) -> ClassFolders:
    """List the images of class folders; no image is opened.

    Args:
        root: Holds class folders, or folders of splits that do.
        predict: Folder of images to predict; None for the one below the root.
        complain: Called with what is wrong, and with what is left out.
        allow_outside: Whether to follow links to folders, and links that lead out of a folder.
        pattern: Regular expression whose first group in the name of a file is its class; None if
            folders are the classes.

    Raises:
        ValueError: If a folder is missing, two folders are for one split, there is no training
            image, or `complain` raises.
    """
    expression = None if pattern is None else compiled(pattern, "data.pattern")
    folders = split_folders(root, predict, flat=expression is not None)
    names: dict[str, Sequence[str]] = {}
    left_out: dict[Kind, list[Item]] = defaultdict(list)
    for split, folder in folders.items():
        skip = _apart(root, folders) if folder == root else []
        is_flat = expression is not None or split == "predict"
        names[split] = images_of(root, folder, skip, left_out, allow_outside, is_flat)
    found = _with_predict(ClassFolders(root, folders, names, expression))
    folders, names = found.folders, dict(found.names)
    if not names["train"]:
        beside = [item.name for item in left_out["image outside class folders"]]
        unread = about_unread(root, left_out["unread image"]) if left_out["unread image"] else ""
        links = _about_links(root, left_out["link"]) if left_out["link"] else ""
        raise ValueError(
            " ".join(
                filter(
                    None,
                    (
                        _without_images("train", folders["train"]),
                        about_flat(beside),
                        unread,
                        links,
                    ),
                )
            )
        )
    for split in sorted(split for split in names if not names[split]):
        text = _without_images(split, folders[split])
        complain(Complaint("empty split", (Item(folders[split].name),), text))
    if found.pattern is None:
        _complain_of_folders(found, complain)
    _complain_of_classes(found, complain)
    complain_of_similar(folders["train"], found.class_names, complain)
    complain_of_unused(root, folders, complain)
    for kind, items in left_out.items():
        text = _about_links(root, items) if kind == "link" else ""
        if kind == "unread image":
            text = about_unread(root, items)
            if lost := lost_classes(found.root, found.folders["train"], found.class_names, items):
                named = ", ".join(lost)
                message = f"{text} No image is left of {named}."
                complain(Complaint("lost class", tuple(map(Item, lost)), message))
        complain(Complaint(kind, tuple(items), text, is_error=False))
    return found


def _with_predict(found: ClassFolders) -> ClassFolders:
    """The images in `test` are to predict if no name of theirs holds a class."""
    if found.pattern is None or "test" not in found.names or any(found.labels("test")):
        return found
    names, folders = dict(found.names), dict(found.folders)
    names["predict"], folders["predict"] = names.pop("test"), folders.pop("test")
    return replace(found, names=names, folders=folders)


def _apart(root: Path, folders: Mapping[str, Path]) -> list[Path]:
    """Folders below the root that are not classes although the class folders lie beside them."""
    named = [path for path in root.iterdir() if path.name.lower() in FOLDERS["predict"]]
    others = [folder for folder in folders.values() if folder != root]
    return [path.resolve() for path in (*named, *others)]


def _complain_of_classes(found: ClassFolders, complain: Complain) -> None:
    """Complain of classes that only other splits have, and of images without a class."""
    train, classes = found.folders["train"], found.class_names
    if odd := [shown(name) for name in classes if not is_text(name)]:
        text = (
            f"{train} has class folders whose names are not UTF-8, perhaps from an old zip file: "
            f"{', '.join(odd)}. Rename them, for example with `convmv -f latin1 -t utf8 -r "
            f"--notest {train}`."
        )
        complain(Complaint("unknown class", tuple(map(Item, odd)), text))
    for split, folder in found.folders.items():
        if unknown := sorted(set(found.labels(split)) - {""} - set(classes)):
            text = (
                f"{folder} has classes that {train} lacks: {', '.join(unknown)}. "
                f"Known are {', '.join(classes)}."
            )
            complain(Complaint("unknown class", tuple(map(Item, unknown)), text))
    complain_of_unfit(found.names, found.labels, train, complain)


def _complain_of_folders(found: ClassFolders, complain: Complain) -> None:
    """Complain of class folders without an image."""
    train, classes = found.folders["train"], found.class_names
    apart = _apart(found.root, found.folders) if train == found.root else []
    inner = [path for path in train.iterdir() if path.is_dir() and not path.is_symlink()]
    names = {
        composed(path.name)
        for path in inner
        if path.resolve() not in apart and not is_hidden(path.name)
    }
    if empty := sorted(names - set(classes)):
        text = f"{train} has folders without an image: {', '.join(map(shown, empty))}."
        complain(Complaint("empty class folder", tuple(map(Item, empty)), text, is_error=False))


def _about_links(root: Path, links: Sequence[Item]) -> str:
    listed = ", ".join(shown(link.name) for link in links[:SHOWN])
    more = f" and {len(links) - SHOWN} more" if len(links) > SHOWN else ""
    return (
        f"{root} has links that are not followed: {listed}{more}. To follow links to folders, and "
        "those that lead out of a folder, set --data.allow_outside true."
    )


def _without_images(split: str, folder: Path) -> str:
    if split == "predict":
        return f"{folder} has no image to predict."
    return (
        f"{folder} has no class folder with an image in it. Expected {folder}/<class>/<image>, "
        f"with one of {', '.join(sorted(image_extensions()))}."
    )
