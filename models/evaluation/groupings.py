"""Groupings: images grouped by the texts of a column, or by a number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_VALUES = 20  # of a column whose values are groups themselves
FEW_VALUES = 6  # of a number whose values are groups even if these are small
FEWEST = 10  # images of a range of a number


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of N images.

    Attributes:
        names: Name of each group.
        index: Group of each image, (N,) int64; -1 where the table has no value.
        are_ranges: Whether groups are ranges of a number.
    """

    names: list[str]
    index: np.ndarray
    are_ranges: bool = False


def group_values(values: Sequence[str], labels: np.ndarray, num_bins: int = 4) -> Grouping | str:
    """Group images by the texts of a column; or why it has no groups, worded to follow its name.

    Up to `MOST_VALUES` values are groups themselves. Other numbers are divided into ranges of
    equally many images.

    Args:
        values: Text of each image, (N,); empty where there is none.
        labels: Class of each image, (N,).
        num_bins: Ranges of a number at most.
    """
    texts = np.asarray(values, str)
    known = ~np.isin(np.char.lower(texts), ("", "nan"))
    names, index = np.unique(texts[known], return_inverse=True)
    if len(names) < 2:
        return "has one value only" if len(names) else "is empty"
    numbers = _numbers(names)
    if numbers is not None and len(names) > min(MOST_VALUES, max(FEW_VALUES, known.sum() / FEWEST)):
        if len(names) == known.sum() and (numbers == numbers.round()).all():
            return "has another whole number for each image"
        return _group_ranges(numbers[index], known, num_bins)
    if 2 * len(names) > known.sum() or len(names) > MOST_VALUES:
        return f"has {len(names):,} different values"
    if _are_classes(index, labels[known]):
        return "is the class under another name"
    order = np.argsort(names if numbers is None else numbers, kind="stable")
    whole = np.full(len(texts), -1)
    whole[known] = order.argsort()[index]
    return Grouping(names[order].tolist(), whole)


def group_numbers(numbers: np.ndarray, names: Sequence[str]) -> Grouping:
    """Group images into as many ranges of a number as there are names, equally many in each.

    Args:
        numbers: Of each image, (N,).
        names: Names of the ranges, the lowest first.
    """
    edges = np.quantile(numbers, np.arange(1, len(names)) / len(names))
    return Grouping([*names], np.searchsorted(edges, numbers), True)


def _numbers(names: np.ndarray) -> np.ndarray | None:
    """Different texts as numbers; None if one is something else."""
    try:
        numbers = np.array([float(name) for name in names])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _group_ranges(numbers: np.ndarray, known: np.ndarray, num_bins: int) -> Grouping | str:
    """Ranges of a number with equally many images, named by their least and largest number."""
    if (num_bins := min(num_bins, len(numbers) // FEWEST)) < 2:
        return "has many numbers for few images"
    edges = np.unique(np.quantile(numbers, np.arange(1, num_bins) / num_bins))
    of_numbers = np.unique(np.searchsorted(edges, numbers), return_inverse=True)[1]
    index = np.full(len(known), -1)
    index[known] = of_numbers
    parts = [numbers[of_numbers == number] for number in range(of_numbers.max() + 1)]
    names = []
    for digits in (3, 6, 12):  # enough to tell the ranges apart
        names = [f"{_text(part.min(), digits)} to {_text(part.max(), digits)}" for part in parts]
        if len(set(names)) == len(names):
            break
    return Grouping(names, index, True)


def _text(number: float, digits: int) -> str:
    return f"{number:.0f}" if number == round(number) else f"{number:.{digits}g}"


def _are_classes(index: np.ndarray, labels: np.ndarray) -> bool:
    """Whether each value belongs to one class, and each class to one value."""
    pairs = len(set(zip(index.tolist(), labels.tolist(), strict=True)))
    return pairs == len(set(index.tolist())) == len(set(labels.tolist()))
