"""Boxes and masks of tables follow the image into the square that the network sees."""

import numpy as np
import pytest
from PIL import Image

from datamodules.sources.resizing import to_square
from datamodules.sources.subjects import find_subjects

SIZE = 20
BOX = {"xmin": "10", "ymin": "8", "xmax": "30", "ymax": "16"}  # in an image of 40 x 20 pixels


@pytest.fixture
def mask_of(tmp_path):
    """Function that finds the subject of one image by the columns of its row."""
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    turned = Image.new("RGB", (20, 40))
    exif = turned.getexif()
    exif[0x0112] = 6  # a viewer turns it, so that it is 40 wide
    turned.save(tmp_path / "turned.jpg", exif=exif)

    def find(columns, resize="squeeze", name="a.png"):
        texts = {key: np.array([value], object) for key, value in columns.items()}
        subjects = find_subjects(texts, tmp_path, [name], SIZE, resize)
        return None if subjects is None else subjects.mask(name)

    return find


def bounds(mask):
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize(
    ("resize", "expected"),
    [("squeeze", (5, 8, 15, 16)), ("crop", (0, 8, 20, 16)), ("pad", (5, 9, 15, 13))],
)
def test_box_follows_the_resizing(mask_of, resize, expected):
    assert bounds(mask_of(BOX, resize)) == expected


@pytest.mark.parametrize(
    "columns",
    [
        {"X": "10", "Y": "8", "Width": "20", "Height": "8"},
        {"bbox": "[10, 8, 20.0, 8]"},
        {"x1": "0.25", "y1": "0.4", "x2": "0.75", "y2": "0.8"},
    ],
)
def test_other_ways_to_write_the_box_are_the_same(mask_of, columns):
    assert np.array_equal(mask_of(columns), mask_of(BOX))


def test_box_is_that_of_the_upright_image(mask_of):
    assert np.array_equal(mask_of(BOX, name="turned.jpg"), mask_of(BOX))


@pytest.mark.parametrize("resize", ["squeeze", "crop", "pad"])
def test_mask_is_resized_like_its_image(mask_of, tmp_path, resize):
    levels = np.zeros((20, 40), np.uint8)
    levels[8:16, 10:30] = 1  # a number of a class, not white
    Image.fromarray(levels).save(tmp_path / "mask.png")
    expected = to_square(255 * levels[:, :, None], SIZE, resize)[:, :, 0] > 127
    assert np.array_equal(mask_of({"mask": "mask.png"}, resize), expected)


@pytest.mark.parametrize(
    "columns",
    [
        {**BOX, "xmax": ""},
        {**BOX, "xmax": "5"},
        {"mask": "missing.png"},
        {"mask": "../mask.png"},
        {"camera": "phone"},
        {"width": "40", "height": "20"},  # of the image
    ],
)
def test_what_is_no_box_or_mask_has_no_subject(mask_of, columns, tmp_path):
    Image.new("L", (4, 4), 255).save(tmp_path.parent / "mask.png")
    assert mask_of(columns) is None
