"""Fixtures for tests of published datasets: images that encode their label and split."""

import cv2
import numpy as np
import pytest

SPLITS = {"train": 60, "val": 120, "test": 180}
PER_CLASS = {"train": 2, "val": 1, "test": 1}


def coded_image(split, label, size, num_channels):
    """Image whose red encodes the label, green the split and blue the row.

    In a grey image the first row encodes the label, the second the split, the others their number.
    """
    red, green = label * 37 % 251, SPLITS[split]
    if num_channels == 1:
        rows = np.array([red, green, *range(2, size)], np.uint8)
        return np.repeat(rows[:, None, None], size, axis=1)
    image = np.full((size, size, 3), (red, green, 0), np.uint8)
    image[..., 2] = np.arange(size)[:, None]
    return image


@pytest.fixture
def coded_images():
    """Function that makes images, (N, size, size, C), and labels of a split."""

    def make(split, num_classes, size, num_channels=3):
        labels = list(range(num_classes)) * PER_CLASS[split]
        images = [coded_image(split, label, size, num_channels) for label in labels]
        return np.stack(images), np.array(labels, np.uint8)

    return make


@pytest.fixture
def write_images(tmp_path, coded_images):
    """Function that writes such images, 8 x 8 pixels, to paths of a pattern; returns the paths."""

    def write(pattern, split, names, first=0):
        images, labels = coded_images(split, len(names), 8)
        files = []
        for n, (image, y) in enumerate(zip(images, labels, strict=True)):
            k = n // len(names) + 1  # number within its class, from 1
            name = pattern.format(split=split, name=names[y], y=y, n=first + n, k=k)
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(file), image[..., ::-1])
            files.append(file)
        return files

    return write


@pytest.fixture
def check_dataset():
    """Function that checks names, labels, sizes and pixels of a dataset of such images."""

    def check(data, names, splits):
        assert data.class_names == tuple(names)
        sources = data.load()
        assert set(sources) == set(splits)
        for split, source in sources.items():
            assert sorted(source.labels) == sorted([*range(len(names))] * PER_CLASS[split])
            assert len(set(source.names)) == len(source)
            for index, label in enumerate(source.labels):
                expected = coded_image(split, int(label), data.image_size, data.num_channels)
                got = source.read(index)
                assert got.shape == expected.shape
                assert np.abs(got.astype(int) - expected).max() <= 3  # tolerance for JPEG

    return check
