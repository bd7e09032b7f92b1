"""Splits that are the same on every machine, and stay the same when images are added."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """How images without a split of their own are shared out; same images on every machine.

    Attributes:
        val: Share of each class of the training images to validate on, in (0, 1).
        test: Share of each class of the training images to test on, in (0, 1).
        seed: Another seed, another split. Not the run's seed, so that seeds can be compared.
    """

    val: float = 0.15
    test: float = 0.15
    seed: int = 0


def hash_order(names: Sequence[str], seed: int) -> np.ndarray:
    """Indices in an order drawn from the names alone: not from their order, nor the platform."""
    keys = [hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.int64)


def stratified_split(
    names: Sequence[str], labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Set a fraction of each class aside.

    Args:
        names: What each image is called.
        labels: Class index of each image, (N,).
        fraction: Share of each class to set aside, in (0, 1); at least one image of a class
            of two or more, none of a single one.
        seed: Another seed, another split.

    Returns:
        Sorted indices of the images that stay, and of those set aside.

    Raises:
        ValueError: If the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"Expected the fraction to set aside to be in (0, 1), got {fraction}.")
    order = hash_order(names, seed)
    aside = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        aside[members[:count]] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)


def spread(labels: np.ndarray, num_images: int) -> list[int]:
    """Indices of images spread evenly over the classes, ordered by class.

    Classes take turns until there are enough; with fewer images than classes, the classes are
    spread too.
    """
    members = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    if num_images < len(members):
        chosen = np.linspace(0, len(members) - 1, num_images).round().astype(int)
        return [members[label][0] for label in chosen]
    rounds = range(max((len(images) for images in members), default=0))
    turns = [(turn, label) for turn in rounds for label, m in enumerate(members) if turn < len(m)]
    return [
        members[label][turn] for turn, label in sorted(turns[:num_images], key=lambda t: t[::-1])
    ]
