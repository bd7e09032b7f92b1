"""Class folders: where the images of each split lie, and what they are called; without torch."""

import os
from collections.abc import Mapping
from pathlib import Path

from datamodules.sources.decode import EXTENSIONS
from datamodules.sources.missing import MissingDataError

FOLDERS = {  # of each split, below the root
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
    "predict": ("predict",),
}


def split_folders(root: Path, predict: Path | None = None) -> dict[str, Path]:
    """The folder of each split; that of `train` is the root where the classes lie in it.

    Args:
        root: Holds class folders, or folders of splits that do.
        predict: Folder of images to predict; None for those below the root.

    Raises:
        ValueError: If a folder is missing.
    """
    if not root.is_dir():
        raise MissingDataError(f"There is no folder {root}; name it with --data.root PATH.")
    present = present_folders(root)
    if predict is not None:
        if not predict.is_dir():
            raise ValueError(f"There is no folder {predict} (data.predict).")
        present["predict"] = predict
    elif "test" in present and not images_below(present["test"], in_classes=True):
        present["predict"] = present.pop("test")
    if "train" not in present:
        if "val" in present or "test" in present:
            found = next(path.name for path in present.values())
            raise ValueError(f"{root} has a folder {found}, but none called train.")
        present["train"] = root
    return present


def present_folders(root: Path) -> dict[str, Path]:
    """The folders below the root that are called as a split is, in capitals or not.

    Raises:
        ValueError: If two are for the same split.
    """
    inner = sorted(path for path in root.iterdir() if path.is_dir())
    present: dict[str, Path] = {}
    for split, names in FOLDERS.items():
        found = [path for path in inner if path.name.lower() in names]
        if len(found) > 1:
            both = " and ".join(path.name for path in found)
            raise ValueError(f"{root} has {both}: which of them is {split}? Rename the other.")
        if found:
            present[split] = found[0]
    return present


def images_of(root: Path, folders: Mapping[str, Path]) -> dict[str, list[str]]:
    """Paths of the images of each split, relative to its folder.

    Args:
        root: See `split_folders`.
        folders: What `split_folders` found there.

    Raises:
        ValueError: If there is no image in one of them.
    """
    files = {
        split: images_below(folder, in_classes=split != "predict")
        for split, folder in folders.items()
    }
    if folders["train"] == root:  # `root/predict` is no class
        predict = folders.get("predict", root)
        inside = predict.resolve().is_relative_to(root.resolve())
        own = predict.resolve().relative_to(root.resolve()).parts if inside else ()
        apart = tuple(f"{name}/" for name in (*FOLDERS["predict"], "/".join(own)) if name)
        files["train"] = [name for name in files["train"] if not name.startswith(apart)]
    for split, names in files.items():
        if not names and split == "predict":
            raise ValueError(f"{folders[split]} has no image to predict.")
        if not names:
            raise ValueError(
                f"{folders[split]} has no class folder with an image in it. Expected "
                f"{folders[split]}/<class>/<image>, with one of "
                f"{', '.join(sorted(EXTENSIONS))}."
            )
    return files


def images_below(folder: Path, in_classes: bool) -> list[str]:
    """Images below a folder, sorted; a link that leaves the folder is not followed.

    Args:
        folder: Where to look, however deep.
        in_classes: Whether to leave out what lies in the folder itself.
    """
    root = folder.resolve()
    names = []
    for directory, folders, files in os.walk(folder):  # which follows no link to a folder
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names += [
            path.relative_to(folder).as_posix()
            for path in (Path(directory) / file for file in files)
            if path.suffix.lower() in EXTENSIONS
            and not path.name.startswith(".")
            and not (in_classes and path.parent == folder)
            and path.resolve().is_relative_to(root)
        ]
    return sorted(names)
