"""Combined ids: ids of a sample submission that name an image and a class."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from callbacks.submission.class_labels import possible_labels
from callbacks.submission.image_ids import Spelling, spellings

SEPARATORS = "_-:/|. "


class CombinedIds(NamedTuple):
    """Row of the image, (R,), and class, (R,), of each id, and what the ids are."""

    rows: np.ndarray
    classes: np.ndarray
    description: str


def split_combined(
    ids: Sequence[str], names: Sequence[str], class_names: Sequence[str]
) -> CombinedIds | None:
    """Split ids such as `img1_cat`, by the first spelling in which all of them can be split.

    Args:
        ids: Ids of a sample submission.
        names: Names of the N images.
        class_names: Names of the classes.

    Returns:
        The parts; None if an id has none.

    Raises:
        ValueError: If an id can be split in several ways.
    """
    for way in possible_labels(class_names):
        numbers = {label: number for number, label in enumerate(way.labels)}
        for spelling in spellings(names):
            pairs = _pairs(ids, spelling, numbers)
            if pairs is not None:
                rows, classes = np.array(pairs).T
                described = f"{spelling.description}, {way.description}"
                return CombinedIds(rows, classes, described)
    return None


def _pairs(
    ids: Sequence[str], spelling: Spelling, numbers: dict[str, int]
) -> list[tuple[int, int]] | None:
    pairs = []
    for given in ids:
        found = [*_splits(given, spelling, numbers)]
        if len(found) > 1:
            raise ValueError(f"its id {given} can be split into image and class in several ways.")
        if not found:
            return None
        pairs += found
    return pairs


def _splits(given: str, spelling: Spelling, numbers: dict[str, int]) -> Iterator[tuple[int, int]]:
    for place, letter in enumerate(given):
        if letter in SEPARATORS and given[place + 1 :] in numbers:
            row = spelling.places.get(given[:place])
            if row is not None:
                yield row, numbers[given[place + 1 :]]
