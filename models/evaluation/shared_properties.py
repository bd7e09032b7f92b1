"""Shared properties: what most images of a group have in common, and few others have."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import hypergeom

from models.evaluation.groupings import Grouping
from models.evaluation.paired_test import holm

MOSTLY, MORE = 0.5, 0.2  # share of a group with a property, and by how much it exceeds that of all
DOUBT = 0.05


class Shared(NamedTuple):
    """A property that most images of a group share.

    Attributes:
        column: What it is a property of.
        group: The value.
        is_range: Whether the value is a range of a number.
        images: Images of the group that have it.
        known: Images of the group of which the property is known.
        share: Share of all images that have it.
    """

    column: str
    group: str
    is_range: bool
    images: int
    known: int
    share: float


def shared_properties(
    member: np.ndarray, groupings: Mapping[str, Grouping], most: int = 3
) -> list[Shared]:
    """What most images of a group share, but few others have (hypergeometric test, Holm).

    Args:
        member: Whether each image is in the group, (N,).
        groupings: Groups of the N images by other properties, by their names.
        most: How many to return, the most telling first; one of each property.
    """
    found: list[tuple[float, Shared]] = []
    for column, grouping in groupings.items():
        known = grouping.index >= 0
        inside = known & member
        for number, name in enumerate(grouping.names):
            has = grouping.index == number
            both, total = int((has & member).sum()), int(has.sum())
            if not both:
                continue
            p_value = hypergeom.sf(both - 1, known.sum(), total, inside.sum())
            share = total / int(known.sum())
            each = Shared(column, name, grouping.are_ranges, both, int(inside.sum()), share)
            found.append((float(p_value), each))
    adjusted = holm([p_value for p_value, _ in found]) if found else []
    telling = [
        each
        for p_value, (_, each) in zip(adjusted, found, strict=True)
        if p_value < DOUBT and each.images / each.known >= max(MOSTLY, each.share + MORE)
    ]
    telling.sort(key=lambda each: each.share - each.images / each.known)
    return list({each.column: each for each in reversed(telling)}.values())[::-1][:most]
