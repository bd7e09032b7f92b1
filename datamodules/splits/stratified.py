"""Stratified splits drawn from hashes of names: the same on every machine."""

import hashlib
from collections.abc import Sequence

import numpy as np

from datamodules.names import composed


def hash_order(names: Sequence[str], seed: int) -> np.ndarray:
    """Indices in a random order that depends on the names and the seed alone.

    Names are composed first: the same images on macOS and on Linux give the same split.
    """
    texts = [f"{seed}/{composed(name)}".encode("utf-8", "surrogateescape") for name in names]
    keys = [hashlib.sha256(text).digest() for text in texts]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.int64)


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
    members, of_class = groups_of_classes(groups, labels, seed)
    aside: list[int] = []
    for candidates in of_class.values():
        size = sum(len(members[group]) for group in candidates)
        wanted = amount if isinstance(amount, int) else max(1, round(amount * size))
        before = len(aside)
        for group in candidates[:-1]:
            if len(aside) - before >= wanted:
                break
            aside += members[group]
    stays = np.ones(len(labels), dtype=bool)
    stays[aside] = False
    return np.flatnonzero(stays), np.flatnonzero(~stays)


def groups_of_classes(
    groups: Sequence[str], labels: np.ndarray, seed: int
) -> tuple[dict[str, list[int]], dict[int, list[str]]]:
    """Indices of the images of each group, and the groups of each class in the order of a hash.

    A group belongs to the class of its first image, whatever the class of the others.
    """
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    names = list(members)
    of_class: dict[int, list[str]] = {}
    for position in hash_order(names, seed):
        of_class.setdefault(int(labels[members[names[position]][0]]), []).append(names[position])
    return members, of_class
