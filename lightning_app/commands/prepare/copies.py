"""Plan of copies: how many copies of which images give each class its number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from datamodules.sources.source import ImageSource
from datamodules.splits.stratified import hash_order


@dataclass(frozen=True)
class Copy:
    """One image to write.

    Attributes:
        original: Path of the original below its root.
        number: 0 for the original itself, else the number of the augmented copy.
        stem: Name of the file to write, without its suffix; unique within the class.
        label: Class of the image.
        split: train, val or test.
        group: Group of the original; its path if it has none.
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
    """Every image and the copies that its class needs; only a part of too large classes.

    Args:
        sources: The originals of each split.
        class_names: The classes, in the order of their indices.
        wanted: Number of images of each class in a split; splits that are not named are unchanged.
        seed: Another seed gives another order in which the images of a class are copied.

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
    """Draw validation images from all copies, so that copies of one original may be in both splits.

    Args:
        copies: A plan without validation images.
        per_class: Validation images of each class.
        seed: Another seed gives another draw.
    """
    moved, drawn = list(copies), Counter[str]()
    for index in hash_order([f"val/{copy.label}/{copy.stem}" for copy in copies], seed):
        copy = copies[index]
        if copy.split == "train" and drawn[copy.label] < per_class:
            moved[index] = replace(copy, split="val")
            drawn[copy.label] += 1
    return moved


def in_both_splits(copies: Sequence[Copy]) -> set[str]:
    """The groups with training images and validation images."""
    train = {copy.group for copy in copies if copy.split == "train"}
    return train & {copy.group for copy in copies if copy.split == "val"}


def _stems(sources: Mapping[str, ImageSource]) -> dict[str, str]:
    """A file name for each image, unique within its class; its own name if possible."""
    pairs = [pair for s in sources.values() for pair in zip(s.names, s.labels, strict=True)]
    stems: dict[str, str] = {}
    taken: set[tuple[np.int64, str]] = set()
    for name, label in sorted(pairs):
        stem = PurePosixPath(name).stem
        while (label, stem.lower()) in taken:  # some file systems ignore case
            stem += "_"
        taken.add((label, stem.lower()))
        stems[name] = stem
    return stems
