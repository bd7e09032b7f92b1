"""Image sizes of a dataset, counted for a bar chart."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

MAX_SIZES = 8  # different sizes that are listed one by one


class SizeCounts(NamedTuple):
    """How many images have which size.

    Attributes:
        are_exact: Whether a row is one width and height; else it is a range of the shorter side.
        rows: Width and height, or first and last side of the range, in pixels, and the number of
            images.
    """

    are_exact: bool
    rows: list[tuple[tuple[int, int], int]]


def count_sizes(sizes: Mapping[tuple[int, int], int]) -> SizeCounts:
    """Count images by size; by powers of two of the shorter side if there are many sizes.

    Args:
        sizes: Number of images of each width and height, in pixels.

    Returns:
        Single sizes, the most frequent first; or ranges such as 64 to 127, in ascending order,
        with empty ranges in between.
    """
    if len(sizes) <= MAX_SIZES:
        return SizeCounts(True, sorted(sizes.items(), key=lambda item: item[1], reverse=True))
    counts: Counter[int] = Counter()
    for size, number in sizes.items():
        counts[min(size).bit_length() - 1] += number
    powers = range(min(counts), max(counts) + 1)
    return SizeCounts(False, [((2**k, 2 ** (k + 1) - 1), counts[k]) for k in powers])
