"""Warnings about class folders: what is lost or divided without being an error."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from datamodules.complaints import Complain, Complaint, Item
from datamodules.names import shown
from datamodules.tables.label_values import alike
from datamodules.walk_folders import files_below, is_hidden, is_image


def complain_of_similar(train: Path, class_names: Sequence[str], complain: Complain) -> None:
    """Complain of classes that differ only in capitals, blanks or hyphens.

    Args:
        train: Folder of the training images, for the message.
        class_names: The classes.
        complain: Called with the classes.
    """
    if groups := alike(class_names):
        listed = "; ".join(" and ".join(map(repr, group)) for group in groups[:3])
        text = (
            f"{train} has folders that differ only in capitals, blanks or hyphens, and are classes "
            f"of their own: {listed}. If they mean the same, put their images into one."
        )
        items = tuple(Item(name) for group in groups for name in group)
        complain(Complaint("similar labels", items, text, is_error=False))


def complain_of_unused(root: Path, used: Mapping[str, Path], complain: Complain) -> None:
    """Complain of folders with images beside those of the splits, such as `dev` or `eval`.

    Args:
        root: Folder that holds the folders of the splits.
        used: The folder of each split; nothing lies beside that of `train` if it is the root.
        complain: Called with the folders.
    """
    if used["train"] == root:
        return
    inner = [path for path in sorted(root.iterdir()) if path.is_dir()]
    others = [path for path in inner if path not in used.values()]
    names = [
        path.name
        for path in others
        if not (is_hidden(path.name) or path.is_symlink()) and any(map(is_image, files_below(path)))
    ]
    if names:
        text = (
            f"{root} has folders with images that are not used: {', '.join(map(shown, names))}. "
            "Those of the splits are called train, val, test and predict."
        )
        complain(Complaint("unused folder", tuple(map(Item, names)), text, is_error=False))
