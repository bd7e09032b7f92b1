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
