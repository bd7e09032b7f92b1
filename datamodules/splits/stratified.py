"""Stratified splits drawn from hashes of names: the same on every machine."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from datamodules.names import composed


def hash_order(names: Iterable[str], seed: int) -> np.ndarray:
    """Indices in a random order that depends on the names and the seed alone.

    Names are composed first: the same images on macOS and on Linux give the same split.
    """
    digests = bytearray()
    for name in names:
        text = f"{seed}/{composed(name)}".encode("utf-8", "surrogateescape")
        digests += hashlib.sha256(text).digest()
    return np.argsort(np.frombuffer(digests, "S32"), kind="stable").astype(np.int64)


def stratified_split(
    groups: Sequence[str], labels: np.ndarray, amount: float | int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Set a part of each class aside, keeping the images of a group together.

    Args:
        groups: The original that each image is a copy of; its own name if it is not a copy.
        labels: Class index of each image, (N,).
        amount: How much of each class to set aside: a share in (0, 1), which is at least one image,
            or a number of images. A part of each class stays: a class of a single group is not
            divided.
        seed: Another seed gives another split.

    Returns:
        Sorted indices of the images that stay, and of those set aside.
    """
    group_of, of_class = groups_of_classes(groups, labels, seed)
    sizes = np.bincount(group_of)
    is_aside = np.zeros(len(sizes), dtype=bool)
    for ordered in of_class.values():
        before = sizes[ordered].cumsum() - sizes[ordered]
        size = int(sizes[ordered].sum())
        wanted = amount if isinstance(amount, int) else max(1, round(amount * size))
        is_aside[ordered[:-1][before[:-1] < wanted]] = True
    aside = is_aside[group_of]
    return np.flatnonzero(~aside), np.flatnonzero(aside)


def groups_of_classes(
    groups: Sequence[str], labels: np.ndarray, seed: int
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Number of the group of each image, and the groups of each class in the order of a hash.

    A group belongs to the class of its first image, whatever the class of the others.

    Returns:
        Numbers of groups, (N,), in the order of their first images; and by class, those of its
        groups.
    """
    numbers: dict[str, int] = {}
    numbered = (numbers.setdefault(group, len(numbers)) for group in groups)
    group_of = np.fromiter(numbered, np.int64, len(groups))
    first_images = np.unique(group_of, return_index=True)[1]
    order = hash_order(numbers, seed)
    classes = labels[first_images[order]]
    by_class = np.argsort(classes, kind="stable")
    found, starts = np.unique(classes[by_class], return_index=True)
    parts = np.split(order[by_class], starts[1:])
    return group_of, dict(zip(found.tolist(), parts, strict=True))
