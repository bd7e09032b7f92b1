import pickle

import albumentations as A
import numpy as np
import pytest

from datamodules.augmentation.pipeline import Augmentation


def photograph(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_result_depends_only_on_image_and_seed():
    image, augmentation = photograph(20, 20, 3), Augmentation("light")
    first = augmentation(image, 7)
    augmentation(image, 8)
    np.testing.assert_array_equal(augmentation(image, 7), first)
    np.testing.assert_array_equal(Augmentation("light")(image, 7), first)


def test_other_seeds_give_other_images():
    image, augmentation = photograph(20, 20, 3), Augmentation("s1")
    assert len({augmentation(image, seed).tobytes() for seed in range(20)}) == 20


def test_input_image_is_not_changed():
    image = photograph(20, 20, 3)
    Augmentation("medium")(image, 0)
    np.testing.assert_array_equal(image, photograph(20, 20, 3))


def test_without_transforms_the_image_is_unchanged():
    image = photograph(20, 20, 3)
    assert Augmentation([])(image, 0) is image
    assert Augmentation("none")(image, 0) is image


@pytest.mark.parametrize("shape", [(20, 20, 1), (20, 20, 3), (20, 31, 3)])
def test_crop_is_resized_to_the_size_of_the_image(shape):
    crop = Augmentation([A.RandomCrop(8, 8)])(photograph(*shape), 0)
    assert crop.shape == shape
    assert crop.dtype == np.uint8


def test_transforms_are_applied_independently_of_each_other():
    image = np.zeros((2, 2, 1), np.uint8)
    image[0, 0] = 255
    flips = Augmentation([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)])
    places = [int(flips(image, seed).argmax()) for seed in range(400)]
    assert all(70 < places.count(corner) < 130 for corner in range(4))


def test_same_transforms_in_two_pipelines_draw_by_the_seed_of_each():
    image, noise = photograph(20, 20, 3), [A.GaussNoise(p=1), A.HorizontalFlip(p=0.5)]
    first = Augmentation(noise)
    expected = first(image, 7)
    Augmentation(noise)(image, 8)
    np.testing.assert_array_equal(first(image, 7), expected)
    assert (first(image, 8) != expected).any()


def test_draws_do_not_depend_on_what_was_drawn_before_nor_on_the_process():
    image, augmentation = photograph(20, 20, 3), Augmentation("medium")
    copied = pickle.loads(pickle.dumps(augmentation))
    for seed in (3, 4, 3):
        np.testing.assert_array_equal(augmentation(image, seed), copied(image, seed))
        copied(image, 99)
