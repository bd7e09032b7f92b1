"""Split folders: which folder below the root holds the images of which split."""

from pathlib import Path

from datamodules.sources.missing_data import MissingDataError
from datamodules.walk_folders import files_below, is_image

FOLDERS = {  # names of the folder of each split, below the root
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
    "predict": ("predict",),
}


def split_folders(root: Path, predict: Path | None = None, flat: bool = False) -> dict[str, Path]:
    """The folder of each split; that of `train` is the root if the class folders lie in it.

    Args:
        root: Holds class folders, or folders of splits that do.
        predict: Folder of images to predict; None for the one below the root.
        flat: Whether images lie in the folders of the splits, without class folders.

    Raises:
        ValueError: If a folder is missing, or two folders are for one split.
    """
    if not root.is_dir():
        raise MissingDataError(f"There is no folder {root}; name it with --data.root PATH.")
    present = _present_folders(root)
    if "test" in present and not flat and not _has_classes(present["test"]):
        present["predict"] = present.pop("test")  # nothing in it can be tested on
    if predict is not None:
        if not predict.is_dir():
            raise ValueError(f"There is no folder {predict} (data.predict).")
        present["predict"] = predict
    if "train" not in present:
        if "val" in present or "test" in present:
            found = next(path.name for path in present.values())
            raise ValueError(f"{root} has a folder {found}, but none called train.")
        present["train"] = root
    return present


def _present_folders(root: Path) -> dict[str, Path]:
    """The folders below the root that are named after a split, in any case of letters.

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


def _has_classes(folder: Path) -> bool:
    return any(is_image(file) and file.parent != folder for file in files_below(folder))
