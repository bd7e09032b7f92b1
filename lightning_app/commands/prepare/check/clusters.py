"""Clusters of images that are copies of each other, exact or near."""

from collections.abc import Iterable, Sequence

import numpy as np

from lightning_app.commands.prepare.check.duplicates import near_pairs


def clusters_of(digests: Sequence[bytes], thumbnails: np.ndarray) -> list[list[int]]:
    """Clusters of images that are copies of each other.

    Args:
        digests: Digest of the pixels of each image.
        thumbnails: RGB, (N, 32, 32, 3) uint8.

    Returns:
        Sorted indices of the images of each cluster of two or more, ordered by their first image.
    """
    first: dict[bytes, int] = {}
    exact = [(first.setdefault(digest, index), index) for index, digest in enumerate(digests)]
    different = np.array(list(first.values()), dtype=np.int64)
    near = different[near_pairs(thumbnails[different])]
    return _connected(len(digests), [*exact, *near.tolist()])


def _connected(number: int, pairs: Iterable[Sequence[int]]) -> list[list[int]]:
    """Connected components of two or more, by union-find."""
    parent = list(range(number))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for left, right in pairs:
        parent[find(max(left, right))] = find(min(left, right))
    members: dict[int, list[int]] = {}
    for index in range(number):
        members.setdefault(find(index), []).append(index)
    return [group for group in members.values() if len(group) > 1]
