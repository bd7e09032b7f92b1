"""Class folders: which images lie in them, and in which split and class; without torch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from datamodules.complaints import Complain, Complaint, Item, Kind, raise_error
from datamodules.left_out_images import about_unread, lost_classes
from datamodules.names import composed, in_order, is_text, shown
from datamodules.sources.file_kinds import image_kind
from datamodules.split_folders import FOLDERS, split_folders
from datamodules.walk_folders import (
    files_below,
    image_extensions,
    is_hidden,
    is_image,
    leads_outside,
)

LeftOut = Mapping[Kind, list[Item]]
SHOWN = 5  # links in a message


@dataclass(frozen=True)
class ClassFolders:
    """The images of class folders.

    Attributes:
        root: Folder that holds the class folders, or the folders of splits.
        folders: Folder of each split; that of `train` is the root if there are no split folders.
        names: Path of each image relative to the folder of its split, sorted.
    """

    root: Path
    folders: Mapping[str, Path]
    names: Mapping[str, Sequence[str]]

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The folders of training images that hold one, in numerical or alphabetical order."""
        return tuple(in_order(self.labels("train")))

    def labels(self, split: str) -> list[str]:
        """Class of each image of a split: the outermost folder; empty for `predict`."""
        if split == "predict":
            return [""] * len(self.names[split])
        return [composed(name.split("/")[0]) for name in self.names[split]]

    def names_below_root(self, split: str) -> tuple[Path, list[str]]:
        """A folder and the path of each image relative to it.

        The folder is the root, so that the names tell the splits apart; if the images to predict
        lie elsewhere, it is their own folder.
        """
        folder = self.folders[split]
        if not folder.is_relative_to(self.root):
            return folder, list(self.names[split])
        prefix = folder.relative_to(self.root)
        return self.root, [(prefix / name).as_posix() for name in self.names[split]]


def read_class_folders(
    root: Path,
    predict: Path | None = None,
    complain: Complain = raise_error,
    allow_outside: bool = False,
) -> ClassFolders:
    """List the images of class folders; no image is opened.

    Args:
        root: Holds class folders, or folders of splits that do.
        predict: Folder of images to predict; None for the one below the root.
        complain: Called with what is wrong, and with what is left out.
        allow_outside: Whether to follow links to folders, and links that lead out of a folder.

    Raises:
        ValueError: If a folder is missing, two folders are for one split, there is no training
            image, or `complain` raises.
    """
    folders = split_folders(root, predict)
    names: dict[str, list[str]] = {}
    left_out: dict[Kind, list[Item]] = defaultdict(list)
    for split, folder in folders.items():
        skip = _apart(root, folders) if folder == root else []
        names[split] = _images_of(root, split, folder, skip, left_out, allow_outside)
    found = ClassFolders(root, folders, names)
    if not names["train"]:
        unread = about_unread(root, left_out["unread image"]) if left_out["unread image"] else ""
        links = _about_links(root, left_out["link"]) if left_out["link"] else ""
        raise ValueError(
            " ".join(filter(None, (_without_images("train", folders["train"]), unread, links)))
        )
    for split in sorted(split for split in names if not names[split]):
        text = _without_images(split, folders[split])
        complain(Complaint("empty split", (Item(folders[split].name),), text))
    _complain_of_classes(found, complain)
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


def _apart(root: Path, folders: Mapping[str, Path]) -> list[Path]:
    """Folders below the root that are not classes although the class folders lie beside them."""
    named = [path for path in root.iterdir() if path.name.lower() in FOLDERS["predict"]]
    others = [folder for folder in folders.values() if folder != root]
    return [path.resolve() for path in (*named, *others)]


def _images_of(
    root: Path,
    split: str,
    folder: Path,
    skip: Sequence[Path],
    left_out: LeftOut,
    allow_outside: bool,
) -> list[str]:
    """Images of a split relative to its folder, sorted; the other files go to `left_out`."""
    home, names = folder.resolve(), []
    for file in files_below(folder, skip, allow_outside):
        place = (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
        if (
            not allow_outside
            and file.is_symlink()
            and (file.is_dir() or (is_image(file) and leads_outside(file, home)))
        ):
            left_out["link"].append(Item(place, f"to {file.readlink()}"))
        elif not is_image(file):
            kind = image_kind(file)
            left_out["unread image" if kind else "other file"].append(Item(place, kind))
        elif file.parent == folder and split != "predict":
            left_out["image outside class folders"].append(Item(place))
        else:
            names.append(file.relative_to(folder).as_posix())
    return sorted(names)


def _complain_of_classes(found: ClassFolders, complain: Complain) -> None:
    """Complain of classes that only other splits have, and of class folders without an image."""
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
