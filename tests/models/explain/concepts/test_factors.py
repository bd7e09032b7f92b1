"""Non-negative factors, masks and crops: analytic cases and references."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from models.explain.concepts.crops import Box, crop_boxes, enlarged_crops
from models.explain.concepts.factors import (
    coefficients_of,
    factorise,
    merge_parts,
    signed_parts,
)
from models.explain.concepts.importance import occlusion_falls, total_sobol_indices


def test_factors_of_a_known_product_are_found():
    rng = np.random.default_rng(0)
    directions = np.zeros((3, 12))  # each has channels of its own, so the factors are unique
    for index, row in enumerate(directions):
        row[4 * index : 4 * index + 4] = rng.uniform(0.5, 2, 4)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    amounts = rng.uniform(0, 5, (80, 3)) * (rng.random((80, 3)) < 0.5)
    coefficients, found = factorise(amounts @ directions, 3)
    order = (found @ directions.T).argmax(axis=0)
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(found[order], directions, atol=0.02)
    np.testing.assert_allclose(coefficients[:, order], amounts, atol=0.1)


def test_more_directions_than_needed_are_zero():
    activations = np.outer(np.arange(1.0, 6), [1.0, 0, 2])
    coefficients, directions = factorise(activations, 4)
    np.testing.assert_allclose(coefficients @ directions, activations, atol=1e-3)
    assert not np.any(factorise(np.zeros((5, 3)), 2)[1])


def test_coefficients_are_those_of_non_negative_least_squares():
    rng = np.random.default_rng(1)
    directions, activations = rng.random((4, 30)), rng.normal(size=(9, 30))
    expected = np.stack([nnls(directions.T, row)[0] for row in activations])
    assert (expected == 0).any()
    np.testing.assert_allclose(coefficients_of(activations, directions), expected, atol=1e-9)


def test_negative_activations_are_kept():
    activations = np.array([[1.0, -2, 0], [-3, 4, 5]])
    parts = signed_parts(activations)
    assert (parts >= 0).all()
    assert (merge_parts(parts) == activations).all()


def test_indices_of_a_linear_score_are_the_squares_of_its_weights():
    weights = np.array([3.0, -2, 1, 0])
    found = total_sobol_indices(lambda masks: masks @ weights + 7, 4, 256)
    np.testing.assert_allclose(found, weights**2 / (weights**2).sum(), atol=0.01)


def test_total_index_includes_interactions():
    found = total_sobol_indices(lambda masks: masks[:, 0] * masks[:, 1], 2, 512)
    np.testing.assert_allclose(found, [4 / 7, 4 / 7], atol=0.01)


def test_constant_score_depends_on_nothing():
    assert not total_sobol_indices(lambda masks: np.full(len(masks), 5.0), 3).any()


def test_occlusion_is_the_fall_without_each():
    weights = np.array([3.0, -2])
    assert occlusion_falls(lambda masks: masks @ weights + 7, 2).tolist() == [3, -2]


@pytest.mark.parametrize("share", [0.2, 1 / 3, 0.5, 1])
def test_crops_cover_the_image_and_overlap(share):
    boxes = crop_boxes((40, 60), share)
    seen = np.zeros((40, 60), bool)
    for top, left, height, width in boxes:
        assert (height, width) == (round(share * 40), round(share * 60))
        seen[top : top + height, left : left + width] = True
    assert seen.all()
    assert len(boxes) == {0.2: 36, 1 / 3: 16, 0.5: 9, 1: 1}[share]


def test_crops_have_the_size_of_the_image():
    image = torch.zeros(1, 8, 8)
    image[:, 4:, :4] = 1
    crops = enlarged_crops(image, [Box(4, 0, 4, 4), Box(0, 4, 4, 4)])
    assert crops.shape == (2, 1, 8, 8)
    assert crops.mean(dim=(1, 2, 3)).tolist() == [1, 0]


@pytest.mark.parametrize("share", [0, 1.1])
def test_impossible_crops_are_refused(share):
    with pytest.raises(ValueError, match=r"crop is .*; expected more than 0 and at most 1"):
        crop_boxes((8, 8), share)
