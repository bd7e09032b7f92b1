"""Folders of images without class folders: the names of the files hold the classes, or nothing."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from datamodules.complaints import Complain, Complaint, Item
from datamodules.tables.name_labels import proposal


def about_flat(names: Sequence[str]) -> str:
    """A sentence about images that lie in no class folder; empty if there are none."""
    if not names:
        return ""
    proposed = proposal(names)
    example = f" {proposed}." if proposed else " An example is '^(\\w+)_'."
    return (
        f"{len(names):,} images lie in it directly. If their names begin with the class, set "
        f"--data.pattern to a regular expression whose first group is the class.{example}"
    )


def complain_of_unfit(
    names: Mapping[str, Sequence[str]],
    labels: Callable[[str], Sequence[str]],
    folder: Path,
    complain: Complain,
) -> None:
    """Complain of images whose name holds no class, in splits that need one.

    Args:
        names: Names of the images of each split.
        labels: Gives the labels of a split.
        folder: Folder of the training images, for the message.
        complain: Called with the images.
    """
    unfit = [
        names[split][place]
        for split in names
        if split != "predict"
        for place, label in enumerate(labels(split))
        if not label
    ]
    if unfit:
        total = sum(len(of_split) for split, of_split in names.items() if split != "predict")
        text = (
            f"{folder}: the names of {len(unfit):,} of {total:,} images do not fit data.pattern, "
            f"such as {unfit[0]}. Move them away, or into a folder `predict`."
        )
        complain(Complaint("missing label", tuple(map(Item, unfit)), text))
