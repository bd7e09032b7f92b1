import numpy as np
import pytest

from callbacks.plots.confusion.order import (
    cluster_classes,
    most_confused,
    most_frequent_confusions,
    shares_of,
)

COUNTS = np.array([[6, 2, 0], [2, 1, 1], [0, 0, 0]])


def test_confusions_are_sorted_by_images_then_by_share():
    assert most_frequent_confusions(COUNTS, 9) == [(1, 0, 2, 0.5), (0, 1, 2, 0.25), (1, 2, 1, 0.25)]
    assert len(most_frequent_confusions(COUNTS, 2)) == 2


def test_class_without_images_has_shares_of_zero():
    np.testing.assert_allclose(shares_of(COUNTS), [[0.75, 0.25, 0], [0.5, 0.25, 0.25], [0, 0, 0]])


@pytest.mark.parametrize(("wanted", "classes"), [(1, []), (2, [1, 0]), (3, [1, 0, 2])])
def test_most_confused_classes_come_in_pairs(wanted, classes):
    assert most_confused(COUNTS, wanted) == classes


@pytest.mark.parametrize(("num_classes", "size"), [(12, 3), (120, 6), (600, 20)])
def test_groups_that_are_confused_within_themselves_are_found(num_classes, size):
    rng = np.random.default_rng(0)
    group = rng.permutation(num_classes) // size
    counts = np.where(group[:, None] == group, 4, 0) + 30 * np.eye(num_classes, dtype=int)
    order, found = cluster_classes(counts)
    assert sorted(order) == list(range(num_classes))
    assert [len(places) for places in found] == [size] * (num_classes // size)
    assert all(len({group[order[place]] for place in places}) == 1 for places in found)


def test_classes_with_the_same_confusions_are_adjacent():
    """Two and three are never taken for each other, but both for zero."""
    counts = 10 * np.eye(5, dtype=int)
    counts[2, 0] = counts[3, 0] = 8
    order, [group] = cluster_classes(counts)
    assert {order[place] for place in group} == {0, 2, 3}


@pytest.mark.parametrize("counts", [np.eye(5, dtype=int), np.zeros((5, 5), dtype=int)])
def test_without_confusions_there_are_no_groups(counts):
    order, groups = cluster_classes(counts)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert groups == []
