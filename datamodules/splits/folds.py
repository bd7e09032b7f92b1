"""Folds drawn from hashes of names: each image is in one of them, on every machine in the same."""

from collections.abc import Sequence

import numpy as np

from datamodules.splits.mix import mix
from datamodules.splits.stratified import groups_of_classes

ALWAYS_TRAINED = -1  # fold of an image that is in the training images of all folds


def assign_folds(
    groups: Sequence[str], labels: np.ndarray, folds: int, seed: int, names: Sequence[str] = ()
) -> np.ndarray:
    """Divide images into folds of nearly equal size, class by class.

    The images of a class are put in the order of their hashes, which is cut into equal parts. So a
    new image moves at most one other across each cut. The parts of each class begin at another
    fold: else the first fold would get the largest part of every class.

    Args:
        groups: The original that each image is a copy of, (N,); its own name if it is none. The
            images of a group are in one fold.
        labels: Class index of each image, (N,). A group belongs to the class of its first image.
        folds: Number of folds.
        seed: Another seed gives other folds.
        names: Names of the classes; their indices if there are none.

    Returns:
        The fold of each image, (N,), from 0; `ALWAYS_TRAINED` for the images of a class that is a
        single group, since a network that does not see it cannot learn the class. Without groups,
        the numbers of images of a class in two folds differ by one at most.
    """
    group_of, of_class = groups_of_classes(groups, labels, seed)
    sizes = np.bincount(group_of)
    assigned = np.full(len(sizes), ALWAYS_TRAINED)
    for label, ordered in of_class.items():
        if len(ordered) < 2:
            continue
        middles = sizes[ordered].cumsum() - sizes[ordered] / 2
        parts = (middles * folds / sizes[ordered].sum()).astype(np.int64)
        first = _first_fold(names[label] if names else str(label), folds, seed)
        assigned[ordered] = (first + parts) % folds
    return assigned[group_of]


def _first_fold(name: str, folds: int, seed: int) -> int:
    return mix(seed, name) % folds
