"""Images of kinds that are not read: which they are, and which classes would be lost with them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from datamodules.complaints import Item
from datamodules.names import composed, shown


def about_unread(root: Path, items: Sequence[Item]) -> str:
    """A sentence with the number of the images of each kind, and of each folder.

    Args:
        root: Folder that the names are relative to.
        items: The images, with their kinds as remarks.
    """
    kinds = Counter(item.remark for item in items)
    folders = Counter(item.name.rpartition("/")[0] or "." for item in items)
    listed = ", ".join(f"{number} x {kind}" for kind, number in kinds.most_common())
    where = ", ".join(f"{number} in {shown(name)}" for name, number in folders.most_common(5))
    more = f" and {len(folders) - 5} more folders" if len(folders) > 5 else ""
    return f"{root} has {len(items)} images that are left out: {listed}; {where}{more}."


def lost_classes(
    root: Path, train: Path, class_names: Sequence[str], items: Sequence[Item]
) -> list[str]:
    """The folders of training images all of whose images are left out."""
    prefix = "" if train == root else f"{train.relative_to(root).as_posix()}/"
    inside = [item.name.removeprefix(prefix) for item in items if item.name.startswith(prefix)]
    folders = {composed(name.split("/")[0]) for name in inside if "/" in name}
    return sorted(folders - set(class_names))
