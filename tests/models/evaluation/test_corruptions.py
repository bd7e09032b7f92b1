"""Tests of the corruptions of images."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from models.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt, parameter


@pytest.fixture(scope="module")
def image():
    return np.ascontiguousarray(load_sample_image("flower.jpg")[20:404:8, 140:524:8])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_repeats_exactly_keeps_the_shape_and_is_strongest_at_strength_5(name, image):
    weak, strong, again = (corrupt(image, name, s, 7) for s in (1, 5, 5))
    np.testing.assert_array_equal(strong, again)
    assert strong.shape == image.shape
    assert strong.dtype == np.uint8
    changes = [np.abs(each.astype(float) - image).mean() for each in (weak, strong)]
    assert 0 < changes[0] < changes[1]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_tiny_grey_images_can_be_corrupted(name, image):
    assert corrupt(image[:8, :8, :1], name, 5, 0).shape == (8, 8, 1)


def test_noise_has_the_standard_deviation_of_the_paper():
    grey = np.full((224, 224, 3), 128, np.uint8)
    noise = corrupt(grey, "gaussian_noise", 1, 3).astype(float) - 128
    assert noise.std() / 255 == pytest.approx(0.08, rel=0.02)


def test_contrast_is_about_the_mean(image):
    changed = corrupt(image, "contrast", 5, 0).astype(float)
    value = parameter(CORRUPTIONS["contrast"], 5, 48)
    expected = image.mean() + value * (image - image.mean())
    assert np.abs(changed - expected).max() <= 1.5


def test_the_parameter_is_that_of_the_paper_at_32_and_224_pixels():
    kind = CORRUPTIONS["jpeg"]
    assert [parameter(kind, s, 32) for s in STRENGTHS] == [80, 65, 58, 50, 40]
    assert [parameter(kind, s, 224) for s in STRENGTHS] == [25, 18, 15, 10, 7]
    assert parameter(kind, 1, 8) == 80
    assert 25 < parameter(kind, 1, 100) < 80
