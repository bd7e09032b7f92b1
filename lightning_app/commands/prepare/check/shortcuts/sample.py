"""The images of a dataset that are asked for shortcuts: some of each class, no copies."""

from collections.abc import Sequence

import numpy as np

from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import Entry

MAX_IMAGES = 3000  # in all: the regressions then take seconds
MAX_CLASSES = 50  # the largest ones
MIN_IMAGES = 20  # of a class: with fewer, the intervals say nothing

Surveyed = tuple[Entry, ImageFacts]


def sample_of(surveyed: Sequence[Surveyed]) -> list[Surveyed]:
    """Labelled images, about equally many of each class; empty if there are not two classes.

    Copies with the same pixels and images of one group count once: they would be known from each
    other. Classes with fewer than 20 others are left out.

    Args:
        surveyed: All images.
    """
    of_class: dict[str, dict[object, Surveyed]] = {}
    for entry, facts in surveyed:
        if entry.label and not facts.fault:
            key = entry.group or facts.digest
            of_class.setdefault(entry.label, {}).setdefault(key, (entry, facts))
    members = [[*unique.values()] for unique in of_class.values() if len(unique) >= MIN_IMAGES]
    members = sorted(members, key=len, reverse=True)[:MAX_CLASSES]
    if len(members) < 2:
        return []
    most = max(MAX_IMAGES // len(members), MIN_IMAGES)
    random = np.random.default_rng(0)
    return [
        of_one[index]
        for of_one in members
        for index in sorted(random.permutation(len(of_one))[:most].tolist())
    ]
