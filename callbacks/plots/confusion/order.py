"""Order of confusions and classes: the most frequent confusions, and groups of classes."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage, optimal_leaf_ordering
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.spatial.distance import pdist

from callbacks.plots.confusion.sparse_tree import sparse_average_linkage

MAX_OPTIMAL = 500  # classes: the optimal order takes 0.1 s for 500 and 2 s for 1,000
MAX_DENSE = 1000  # classes: all pairs of more take minutes and gigabytes
NUM_CUTS = 40  # cuts of the tree that are tried
UNRELATED = 1 - 1e-9  # distance of classes without common confusions
MIN_GROUP = 3  # classes of a group that gets an outline


class Grouping(NamedTuple):
    """Order of the classes, and the range of positions of each group in it."""

    order: list[int]
    groups: list[range]


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
    true, predicted = np.nonzero(counts)
    wrong = true != predicted
    true, predicted = true[wrong], predicted[wrong]
    images = counts[true, predicted]
    shares = images / counts.sum(axis=1).clip(min=1)[true]
    found = np.lexsort((-shares, -images))[:most]
    columns = (column[found].tolist() for column in (true, predicted, images, shares))
    return [Confusion(*row) for row in zip(*columns, strict=True)]


def shares_of(counts: np.ndarray) -> np.ndarray:
    """Shares of each true class, in [0, 1], (K, K); zeros for a class without images."""
    kind = np.float64 if len(counts) <= MAX_DENSE else np.float32  # 400 MB of 10,000 classes
    return np.divide(counts, counts.sum(axis=1, keepdims=True).clip(min=1), dtype=kind)


def most_confused(counts: np.ndarray, num_classes: int) -> list[int]:
    """Classes of the most frequent confusions, at most a number of them."""
    chosen: dict[int, None] = {}
    for confusion in most_frequent_confusions(counts, num_classes**2):
        pair = {confusion.true: None, confusion.predicted: None}
        if len(chosen | pair) > num_classes:
            break
        chosen |= pair
    return list(chosen)


def cluster_classes(counts: np.ndarray) -> Grouping:
    """Order classes so that those confused with each other, or with the same ones, are adjacent.

    Average linkage of the profiles of the classes: as which classes they are predicted and which
    are predicted as them, under a square root, so that the diagonal does not dominate. The tree is
    cut where the modularity of the groups is largest (Newman and Girvan, 2004). Of more than
    `MAX_DENSE` classes, only those with a common confusion are compared.

    Args:
        counts: Images (true, predicted), (K, K), of three classes or more.

    Returns:
        The classes in order, and the range of positions of each group of `MIN_GROUP` or more.
    """
    mutual = _mutual_shares(counts)
    tree = _tree(mutual, len(counts))
    order = [int(place) for place in leaves_list(tree)]
    related = tree[tree[:, 2] < UNRELATED, 2]
    heights = np.quantile(related, np.linspace(0, 1, NUM_CUTS)) if len(related) else []
    cuts = [fcluster(tree, height, "distance") for height in np.unique([0, *heights])]
    confused = coo_array(mutual)
    confused.setdiag(0)
    best = max(cuts, key=lambda groups: _modularity(confused, groups))
    return Grouping(order, [run for run in _runs(best[order]) if len(run) >= MIN_GROUP])


def _mutual_shares(counts: np.ndarray) -> csr_array:
    """Mean of the shares of a class that are another, and of the other that are it, (K, K)."""
    images = csr_array(counts)
    shares = csr_array(diags_array(1 / images.sum(axis=1).clip(min=1)) @ images)
    mutual = (shares + shares.T) / 2
    # A class without images and predictions has no profile: make it unlike all others.
    return csr_array(mutual + diags_array((mutual.sum(axis=1) == 0).astype(float)))


def _tree(mutual: csr_array, num_classes: int) -> np.ndarray:
    if num_classes > MAX_DENSE:
        return sparse_average_linkage(csr_array(mutual.power(0.5)))
    distances = pdist(np.sqrt(mutual.toarray()), "cosine").clip(0)
    tree = linkage(distances, "average")
    return optimal_leaf_ordering(tree, distances) if num_classes <= MAX_OPTIMAL else tree


def _modularity(weights: coo_array, groups: np.ndarray) -> float:
    """Share of the weights within groups, minus the share expected by chance."""
    total = max(weights.data.sum(), np.finfo(float).tiny)
    inner = weights.data[groups[weights.row] == groups[weights.col]].sum()
    of_groups = np.bincount(groups[weights.row], weights.data, groups.max() + 1)
    return inner / total - ((of_groups / total) ** 2).sum()


def _runs(groups: np.ndarray) -> Iterator[range]:
    edges = np.flatnonzero(np.diff(groups)) + 1
    bounds = [0, *edges.tolist(), len(groups)]
    yield from (range(start, end) for start, end in pairwise(bounds))
