"""Tree of thousands of classes by average linkage, from the few that have something in common."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

NEIGHBOURS = 32  # most similar classes of each class that count
BLOCK = 1000  # classes whose similarities with all others are in memory at a time
MAX_ROUNDS = 100  # of merging; what is left then is joined as unrelated


def sparse_average_linkage(profiles: csr_array) -> np.ndarray:
    """The tree of `scipy.cluster.hierarchy.linkage` with cosine distances, where most are 1.

    The result is that of `linkage(pdist(profiles, "cosine"), "average")` if no row has more than
    `NEIGHBOURS` others in common; of more, only the most similar ones count. In each round all
    pairs of clusters that are the nearest of each other are merged, which makes the same tree as
    the closest pair at a time (Müllner, 2011: Modern hierarchical, agglomerative clustering
    algorithms).

    Args:
        profiles: Row of each of K classes, (K, any), not negative, none of them empty.

    Returns:
        Merges in SciPy's form, (K - 1, 4).
    """
    similar = _similarities(profiles)
    number = len(similar.indptr) - 1  # rows
    leaders, sizes = np.arange(number), np.ones(number)
    merges: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(MAX_ROUNDS):
        first, second, means = _nearest_pairs(similar, sizes)
        if not len(first):
            break
        merges.append((leaders[first], leaders[second], 1 - means))
        target = np.arange(len(leaders))
        target[second] = first
        kept, target = np.unique(target, return_inverse=True)
        sizes = np.bincount(target, sizes)
        leaders, similar = leaders[kept], _merged(similar, target, len(kept))
    rest = leaders[1:]
    merges.append((np.full(len(rest), leaders[0]), rest, np.ones(len(rest))))
    return _scipy_form(*map(np.concatenate, zip(*merges, strict=True)))


def _similarities(profiles: csr_array) -> csr_array:
    """Cosine of each pair of rows that has something in common, without that of a row itself."""
    lengths = np.sqrt(profiles.multiply(profiles).sum(axis=1))
    unit = csr_array(diags_array(1 / lengths) @ profiles)
    others, number, parts = csr_array(unit.T), len(unit.indptr) - 1, []
    for start in range(0, number, BLOCK):
        block = coo_array(unit[start : start + BLOCK] @ others)
        rows, columns, values = block.row, block.col, block.data
        if np.bincount(rows).max() > NEIGHBOURS + 1:
            rows, columns, values = _most_similar(block.toarray())
        parts.append((rows.astype(np.int64) + start, columns.astype(np.int64), values))
    rows, columns, values = map(np.concatenate, zip(*parts, strict=True))
    apart = rows != columns
    found = csr_array((values[apart], (rows[apart], columns[apart])), shape=(number, number))
    # A class may be among the nearest of one side only.
    return _sorted(csr_array(found.maximum(found.T)))


def _sorted(similar: csr_array) -> csr_array:
    similar.sum_duplicates()
    return similar


def _most_similar(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of the largest values of each row; one is that of a row itself."""
    columns = np.argpartition(values, -NEIGHBOURS - 1, axis=1)[:, -NEIGHBOURS - 1 :]
    largest = np.take_along_axis(values, columns, axis=1)
    rows, places = np.nonzero(largest)
    return rows, columns[rows, places], largest[rows, places]


def _nearest_pairs(
    similar: csr_array, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of clusters that are the nearest of each other, and the means of their similarities."""
    lengths = np.diff(similar.indptr)
    rows = np.flatnonzero(lengths)
    if not len(rows):
        return rows, rows, np.zeros(0)
    row_of = np.repeat(np.arange(len(sizes)), lengths)
    means = similar.data / (sizes[row_of] * sizes[similar.indices])
    highest = np.maximum.reduceat(means, similar.indptr[rows])
    # Of equally near ones the first: so there is always a pair.
    places = np.flatnonzero(means == np.repeat(highest, lengths[rows]))
    best = places[np.unique(row_of[places], return_index=True)[1]]
    nearest = np.full(len(sizes), -1)
    nearest[rows] = similar.indices[best]
    mutual = (nearest[nearest[rows]] == rows) & (rows < nearest[rows])
    return rows[mutual], nearest[rows[mutual]], highest[mutual]


def _merged(similar: csr_array, target: np.ndarray, number: int) -> csr_array:
    """Sums of the similarities of merged clusters."""
    entries = coo_array(similar)
    rows, columns = target[entries.row], target[entries.col]
    apart = rows != columns
    places = rows[apart], columns[apart]
    return _sorted(csr_array((entries.data[apart], places), shape=(number, number)))


def _scipy_form(first: np.ndarray, second: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Merges of clusters, each named by one of its classes, with numbers of clusters instead."""
    return np.array(list(_numbered(first, second, heights)), dtype=np.float64)


def _numbered(
    first: np.ndarray, second: np.ndarray, heights: np.ndarray
) -> Iterator[tuple[int, int, float, int]]:
    total = len(first) + 1
    above = list(range(2 * total - 1))  # the cluster that each is part of
    sizes = [1] * total + [0] * (total - 1)

    def top(cluster: int) -> int:
        while above[cluster] != cluster:
            above[cluster] = cluster = above[above[cluster]]
        return cluster

    for step, merge in enumerate(np.argsort(heights, kind="stable").tolist()):
        one, other = sorted((top(int(first[merge])), top(int(second[merge]))))
        above[one] = above[other] = total + step
        sizes[total + step] = sizes[one] + sizes[other]
        yield one, other, max(float(heights[merge]), 0.0), sizes[total + step]
