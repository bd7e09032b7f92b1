"""Which copies of which images bring each class to its number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from datamodules.sources.source import ImageSource
from datamodules.splits.split import hash_order


@dataclass(frozen=True)
class Copy:
    """One image to be written.

    Attributes:
        original: Path of the image that it is made from, below the root of the originals.
        number: 0 for the image itself, else which of its augmented copies.
        stem: Name of the file to write, without its suffix; unique within the class.
        label: Class of the image.
        split: train, val or test.
        group: What the original itself is a copy of; its path where it stands for itself.
    """

    original: str
    number: int
    stem: str
    label: str
    split: str
    group: str


def plan_copies(
    sources: Mapping[str, ImageSource],
    class_names: Sequence[str],
    wanted: Mapping[str, int],
    seed: int,
) -> list[Copy]:
    """Each image, and as many copies as its class lacks; where there are too many, a part of them.

    Args:
        sources: The originals of each split.
        class_names: The classes, in the order of their indices.
        wanted: Images that each class is to have in a split; a split that is not named here is
            left as it is.
        seed: Another seed, another order in which the images of a class take turns.

    Raises:
        ValueError: If a class has no image to make copies of.
    """
    stems = _stems(sources)
    copies = []
    for split, source in sources.items():
        order = hash_order(source.names, seed)
        for label, class_name in enumerate(class_names):
            indices = [int(index) for index in order if source.labels[index] == label]
            number = wanted.get(split, len(indices))
            if number and not indices:
                raise ValueError(f"There is no {split} image of {class_name} to make copies of.")
            for position in range(number):
                turn, place = divmod(position, len(indices))
                name = source.names[indices[place]]
                group = source.groups[indices[place]] if source.groups else name
                stem = f"{stems[name]}-{turn:04d}"
                copies.append(Copy(name, turn, stem, class_name, split, group))
    return copies


def leaked(copies: Sequence[Copy], per_class: int, seed: int) -> list[Copy]:
    """Draw validation images from the copies themselves, whatever original they come from.

    Args:
        copies: A plan without validation images.
        per_class: Validation images of each class.
        seed: Another seed, another draw.
    """
    moved, drawn = list(copies), Counter[str]()
    for index in hash_order([f"val/{copy.label}/{copy.stem}" for copy in copies], seed):
        copy = copies[index]
        if copy.split == "train" and drawn[copy.label] < per_class:
            moved[index] = replace(copy, split="val")
            drawn[copy.label] += 1
    return moved


def on_both_sides(copies: Sequence[Copy]) -> set[str]:
    """The groups with images to train on as well as images to validate on."""
    train = {copy.group for copy in copies if copy.split == "train"}
    return train & {copy.group for copy in copies if copy.split == "val"}


def _stems(sources: Mapping[str, ImageSource]) -> dict[str, str]:
    """A name for the copies of each image, its own wherever no other of its class is called so."""
    pairs = [pair for s in sources.values() for pair in zip(s.names, s.labels, strict=True)]
    stems: dict[str, str] = {}
    taken: set[tuple[np.int64, str]] = set()
    for name, label in sorted(pairs):
        stem = PurePosixPath(name).stem
        while (label, stem.lower()) in taken:  # some file systems take no note of the case
            stem += "_"
        taken.add((label, stem.lower()))
        stems[name] = stem
    return stems
