import numpy as np
from sklearn.datasets import load_digits

from datamodules import DigitsDataModule


def test_digits_are_those_of_scikit_learn():
    expected = load_digits()
    source = DigitsDataModule(image_size=8).load()["train"]
    images = np.stack([source.read(index) for index in range(len(source))])
    assert images.shape == (1797, 8, 8, 1)
    np.testing.assert_array_equal(images[..., 0], (expected.images * 255 / 16).round())
    np.testing.assert_array_equal(source.labels, expected.target)
