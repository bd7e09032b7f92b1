"""A picture whose geometry is known: three stripes, the middle one a square."""

import numpy as np
import pytest

from datamodules.sources.files import FileReader
from datamodules.sources.resizing import onto_image, to_square
from datamodules.sources.source import ImageSource

SIDE = 16
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture(params=["wide", "tall"])
def stripes(request):
    """Three squares beside each other, or on top of each other."""
    image = np.zeros((SIDE, 3 * SIDE, 3), np.uint8)
    for place, colour in enumerate((RED, GREEN, BLUE)):
        image[:, place * SIDE : (place + 1) * SIDE] = colour
    return image if request.param == "wide" else image.transpose(1, 0, 2)


def across(image):
    """Colours along the line through the three stripes, from a picture of either orientation."""
    middle = image.shape[0] // 2
    row, column = image[middle], image[:, middle]
    return row if len(np.unique(row, axis=0)) > len(np.unique(column, axis=0)) else column


def test_squeezing_keeps_all_stripes_and_makes_them_narrow(stripes):
    line = across(to_square(stripes, 24, "squeeze"))
    assert [tuple(line[place]) for place in (2, 12, 21)] == [RED, GREEN, BLUE]


def test_cropping_keeps_the_square_in_the_middle(stripes):
    square = to_square(stripes, 24, "crop")
    assert square.shape == (24, 24, 3)
    assert (square == GREEN).all()


def test_padding_keeps_all_stripes_and_their_proportions(stripes):
    square = to_square(stripes, 24, "pad")
    seen = square.any(axis=2)
    assert seen.sum() == 24 * 8  # a third of the square; the rest are two black bars
    assert seen[12, 12]
    assert not seen[:7, :7].any()
    assert not seen[17:, 17:].any()
    line = square[12] if seen[12].all() else square[:, 12]
    for start, colour in ((0, RED), (8, GREEN), (16, BLUE)):  # a stripe is 8 x 8 pixels
        assert tuple(line[start + 4]) == colour


@pytest.mark.parametrize("how", ["squeeze", "crop", "pad"])
def test_a_square_image_is_only_scaled(how):
    image = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    assert np.array_equal(to_square(image, 8, how), image)
    assert np.array_equal(to_square(image, 4, how), to_square(image, 4, "squeeze"))


@pytest.mark.parametrize("how", ["crop", "pad"])
def test_a_map_of_the_square_returns_to_its_place_in_the_image(stripes, how):
    square = to_square(stripes, 48, how)
    green = (square == GREEN).all(axis=2).astype(np.float32)
    back = onto_image(green, *stripes.shape[:2], how)
    expected = (stripes == GREEN).all(axis=2)
    assert back.shape == expected.shape
    assert np.abs(back - expected).mean() < 0.02


def test_an_image_of_one_pixel_in_height_can_be_padded():
    assert to_square(np.full((1, 500, 3), 9, np.uint8), 32, "pad").shape == (32, 32, 3)


def test_readers_resize_as_they_are_told_and_their_digests_differ(tmp_path, write_image):
    write_image(tmp_path / "a.png", (255, 255, 255), size=(40, 10))
    digests = []
    for how, share in (("squeeze", 1.0), ("crop", 1.0), ("pad", 0.25)):
        reader = FileReader(tmp_path, ["a.png"], 40, 3, how)
        assert (reader.read(0) > 0).mean() == share
        digests.append(ImageSource(reader, np.zeros(1, np.int64), ["a.png"]).fingerprint())
    assert len(set(digests)) == 3  # a cache of one is not taken for another
