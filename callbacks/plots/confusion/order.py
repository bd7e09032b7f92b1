"""Order of confusions and classes: the most frequent confusions, and groups of classes."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

MAX_OPTIMAL = 500  # classes: the optimal order takes 0.1 s for 500 and 2 s for 1,000
NUM_CUTS = 40  # cuts of the tree that are tried
UNRELATED = 1 - 1e-9  # distance of classes without common confusions
MIN_GROUP = 3  # classes of a group that gets an outline


class Confusion(NamedTuple):
    """Number of images of a class that are predicted as another, and their share of the class."""

    true: int
    predicted: int
    images: int
    share: float


def most_frequent_confusions(counts: np.ndarray, most: int) -> list[Confusion]:
    """The confusions with the most images, the largest first; ties by share of the true class.

    Args:
        counts: Images (true, predicted), (K, K).
        most: Number of confusions to return.
    """
    shares = shares_of(counts)
    true, predicted = np.nonzero(counts * ~np.eye(len(counts), dtype=bool))
    found = np.lexsort((-shares[true, predicted], -counts[true, predicted]))[:most]
    return [
        Confusion(int(t), int(p), int(counts[t, p]), float(shares[t, p]))
        for t, p in zip(true[found], predicted[found], strict=True)
    ]


def shares_of(counts: np.ndarray) -> np.ndarray:
    """Shares of each true class, in [0, 1], (K, K); zeros for a class without images."""
    return counts / counts.sum(axis=1, keepdims=True).clip(min=1)


def most_confused(counts: np.ndarray, num_classes: int) -> list[int]:
    """Classes of the most frequent confusions, at most a number of them."""
    chosen: dict[int, None] = {}
    for confusion in most_frequent_confusions(counts, counts.size):
        pair = {confusion.true: None, confusion.predicted: None}
        if len(chosen | pair) > num_classes:
            break
        chosen |= pair
    return list(chosen)


def cluster_classes(counts: np.ndarray) -> tuple[list[int], list[range]]:
    """Order classes so that those confused with each other, or with the same ones, are adjacent.

    Average linkage of the profiles of the classes: as which classes they are predicted and which
    are predicted as them, under a square root, so that the diagonal does not dominate. The tree is
    cut where the modularity of the groups is largest (Newman and Girvan, 2004).

    Args:
        counts: Images (true, predicted), (K, K), of three classes or more.

    Returns:
        The classes in order, and the range of positions of each group of `MIN_GROUP` or more.
    """
    shares = shares_of(counts)
    mutual = (shares + shares.T) / 2
    # A class without images and predictions has no profile: make it unlike all others.
    np.fill_diagonal(mutual, np.where(mutual.any(axis=1), mutual.diagonal(), 1))
    distances = pdist(np.sqrt(mutual), "cosine").clip(0)
    tree = linkage(distances, "average")
    if len(counts) <= MAX_OPTIMAL:
        tree = optimal_leaf_ordering(tree, distances)
    order = [int(place) for place in leaves_list(tree)]
    np.fill_diagonal(mutual, 0)
    related = tree[tree[:, 2] < UNRELATED, 2]
    heights = np.quantile(related, np.linspace(0, 1, NUM_CUTS)) if len(related) else []
    cuts = [fcluster(tree, height, "distance") for height in np.unique([0, *heights])]
    best = max(cuts, key=lambda groups: _modularity(mutual, groups))
    return order, [run for run in _runs(best[order]) if len(run) >= MIN_GROUP]


def _modularity(weights: np.ndarray, groups: np.ndarray) -> float:
    """Share of the weights within groups, minus the share expected by chance."""
    total = max(weights.sum(), np.finfo(float).tiny)
    rows, columns = np.nonzero(weights)
    inner = weights[rows, columns][groups[rows] == groups[columns]].sum()
    return inner / total - ((np.bincount(groups, weights.sum(axis=1)) / total) ** 2).sum()


def _runs(groups: np.ndarray) -> Iterator[range]:
    edges = np.flatnonzero(np.diff(groups)) + 1
    bounds = [0, *edges.tolist(), len(groups)]
    yield from (range(start, end) for start, end in pairwise(bounds))
