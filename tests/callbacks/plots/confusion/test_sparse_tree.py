import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, is_valid_linkage, linkage
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist

from callbacks.plots.confusion import order
from callbacks.plots.confusion.sparse_tree import NEIGHBOURS, sparse_average_linkage


@pytest.mark.parametrize("num_classes", [3, 12, NEIGHBOURS])
def test_tree_is_that_of_scipy(num_classes):
    rng = np.random.default_rng(0)
    profiles = rng.random((num_classes, num_classes))
    profiles *= rng.random(profiles.shape) < 0.2
    profiles[range(num_classes), range(num_classes)] = 1
    found = sparse_average_linkage(csr_array(profiles))
    distances = pdist(profiles, "cosine")
    expected = linkage(distances, "average")
    assert is_valid_linkage(found)
    np.testing.assert_allclose(cophenet(found), cophenet(expected), atol=1e-12)


def test_classes_without_anything_in_common_are_joined_last():
    found = sparse_average_linkage(csr_array(np.eye(4)))
    assert is_valid_linkage(found)
    assert (found[:, 2] == 1).all()


def test_groups_of_many_classes_are_found(monkeypatch):
    """With fewer classes than the tree is for, to save time."""
    monkeypatch.setattr(order, "MAX_DENSE", 100)
    rng = np.random.default_rng(0)
    group = rng.permutation(300) // 6
    counts = np.where(group[:, None] == group, 4, 0) + 30 * np.eye(300, dtype=int)
    counts[7] = counts[:, 7] = 0  # a class without images and predictions
    places, found = order.cluster_classes(counts)
    assert sorted(places) == list(range(300))
    assert sorted(map(len, found)) == [5, *[6] * 49]
    assert all(len({group[places[place]] for place in each}) == 1 for each in found)
    assert order.shares_of(counts).dtype == np.float32
