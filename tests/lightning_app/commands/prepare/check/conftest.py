import cv2
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photograph():
    """An image with areas and details, another for each seed: uint8 (H, W, 3)."""

    def draw(seed, size=(64, 64)):
        random = np.random.default_rng(seed)
        coarse = cv2.resize(random.uniform(30, 220, (5, 5, 3)), size, interpolation=cv2.INTER_CUBIC)
        fine = cv2.resize(random.normal(0, 25, (20, 20, 3)), size, interpolation=cv2.INTER_LINEAR)
        return (coarse + fine).clip(0, 255).astype(np.uint8)

    return draw


@pytest.fixture
def save(tmp_path, photograph):
    """Write the image of a seed, or an array, below `tmp_path / "data"`."""

    def write(name, picture, **options):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = photograph(picture) if isinstance(picture, int) else picture
        Image.fromarray(pixels).save(file, **options)
        return file

    return write


@pytest.fixture
def sound(save, tmp_path):
    """A dataset without problems: two classes, six images of each in train, two in val and test."""
    splits = {"train": range(6), "val": range(6, 8), "test": range(8, 10)}
    for split, numbers in splits.items():
        for number in numbers:
            save(f"{split}/cat/{number}.png", number)
            save(f"{split}/dog/{number}.png", 100 + number)
    return tmp_path / "data"
