import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from models.evaluation.projection import (
    most_mixed,
    neighbour_agreement,
    principal_components,
    spread_rows,
    tsne,
    turned_by_class,
)


def clusters(num_images=60, num_features=20, num_classes=3, distance=30.0):
    """Features around one centre per class, and their labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num_images) % num_classes
    centers = distance * torch.randn(num_classes, num_features, generator=generator)
    return centers[labels] + torch.randn(num_images, num_features, generator=generator), labels


@pytest.mark.parametrize("shape", [(40, 10), (10, 40), (600, 700)])
def test_components_are_those_of_the_exact_solver(shape):
    features, _ = clusters(*shape)
    reference = PCA(2, svd_solver="full").fit(features.double().numpy())
    expected = reference.transform(features.double().numpy())
    largest = np.abs(reference.components_).argmax(axis=1)
    signs = np.sign(reference.components_[[0, 1], largest])
    points, explained = principal_components(features)
    np.testing.assert_allclose(points, expected * signs, atol=1e-3)
    np.testing.assert_allclose(explained, reference.explained_variance_ratio_, atol=1e-6)


@pytest.mark.parametrize("features", [torch.ones(5, 4), torch.rand(5, 1), torch.rand(2, 7)])
def test_missing_components_are_zero(features):
    points, explained = principal_components(features, num_components=3)
    assert points.shape == (len(features), 3)
    assert points.isfinite().all()
    assert points[:, 2].abs().max() < 1e-3
    assert explained.sum() <= 1 + 1e-6


def nearest_is_of_the_class(points, labels):
    return neighbour_agreement(points, labels, 1).mean().item()


def test_groups_stay_apart_in_both_maps():
    features, labels = clusters()
    assert nearest_is_of_the_class(principal_components(features).points, labels) == 1
    assert nearest_is_of_the_class(tsne(features), labels) == 1


def test_a_map_by_tsne_is_the_same_at_every_call_and_draws_no_random_numbers():
    features, _ = clusters(30)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert tsne(features).equal(tsne(features))
    assert torch.get_rng_state().equal(torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()


@pytest.mark.parametrize("features", [torch.ones(6, 4), torch.rand(6, 1), torch.rand(3, 5)])
def test_tsne_takes_features_of_hardly_any_variance(features):
    assert tsne(features).shape == (len(features), 2)
    assert tsne(features).isfinite().all()


@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_rotated_or_mirrored_maps_become_equal(num_classes):
    features, labels = clusters(200, 20, num_classes)
    points = principal_components(features).points
    expected = turned_by_class(points, labels, num_classes)
    turn = torch.linalg.qr(torch.tensor([[0.3, 1.0], [-0.8, 0.1]])).Q
    for change in (turn, turn * torch.tensor([1.0, -1.0]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])):
        again = turned_by_class(points @ change + 5, labels, num_classes)
        torch.testing.assert_close(again, expected, atol=1e-2, rtol=0)
    torch.testing.assert_close(torch.pdist(expected), torch.pdist(points), atol=1e-2, rtol=0)


def test_classes_follow_each_other_counter_clockwise_from_the_right():
    places = torch.tensor([[0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]])
    turned = turned_by_class(places, torch.arange(4), 4)
    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    torch.testing.assert_close(turned, expected, atol=2e-3, rtol=0)


def test_agreement_is_that_of_the_nearest_neighbours_without_the_image_itself():
    features, labels = clusters(50, 5, 4, distance=1.0)
    reference = KNeighborsClassifier(11).fit(features, labels)
    nearest = reference.kneighbors(features, return_distance=False)[:, 1:]
    expected = (labels.numpy()[nearest] == labels.numpy()[:, None]).mean(axis=1)
    np.testing.assert_allclose(neighbour_agreement(features, labels, 10), expected, atol=1e-6)


def test_only_as_many_neighbours_count_as_there_are_others_of_the_class():
    features = torch.tensor([[0.0], [1.0], [3.0], [4.0], [9.0]])
    labels = torch.tensor([0, 0, 1, 0, 2])
    shares = neighbour_agreement(features, labels, 10)
    assert shares.tolist() == [0.5, 0.5, 0, 0.5, 0]
    assert neighbour_agreement(features, labels, 1).tolist() == [1, 1, 0, 0, 0]


def test_most_mixed_classes_come_first_and_rare_ones_are_left_out():
    labels = torch.tensor([5] * 4 + [7] * 4 + [2] * 4 + [9])
    agreement = torch.tensor([1.0] * 4 + [0.2] * 4 + [0.5] * 4 + [0.0])
    assert most_mixed(labels, agreement, 2) == [7, 2]
    assert most_mixed(torch.arange(6), torch.zeros(6), 2) == []  # one image per class says nothing


def test_chosen_rows_lie_far_apart():
    points = torch.tensor([[0.1, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 0.5], [-8.0, 0.0], [0.0, 7.0]])
    assert sorted(spread_rows(points, 4)) == [0, 2, 4, 5] or sorted(spread_rows(points, 4)) == [
        *(0, 3, 4, 5)
    ]
    assert sorted(spread_rows(points, 99)) == [0, 1, 2, 3, 4, 5]
    assert len(spread_rows(points, 99, closest=0.1)) == 4  # the others are too near
