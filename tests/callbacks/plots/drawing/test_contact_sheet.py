from itertools import pairwise

import numpy as np
import pytest

from callbacks.plots import plot_contact_sheet
from callbacks.plots.drawing.contact_sheet import enlarged, tile
from callbacks.plots.drawing.page import Picture


def shades(*values, size=(20, 20)):
    """Images of one grey level each."""
    return np.stack([np.full((*size, 3), value) for value in values])


def test_tiles_are_row_by_row_and_missing_ones_are_white():
    sheet = tile(shades(0.1, 0.2, 0.3), columns=2)
    assert sheet.shape == (41, 41, 3)  # a gap of one pixel
    assert sheet[[0, 0, 40, 40], [0, 40, 0, 40], 0].tolist() == [0.1, 0.2, 0.3, 1]
    assert (sheet[20] == 1).all()


def test_ground_is_between_tiles_but_not_in_place_of_missing_ones():
    sheet = tile(np.uint8(255 * shades(0, 0, 0)), columns=2, ground=0.2)
    assert sheet.dtype == np.uint8
    assert sheet[20, 0, 0] == sheet[0, 20, 0] == sheet[40, 20, 0] - 204 == 51
    assert (sheet[21:, 21:] == 255).all()


def test_full_sheet_has_no_white():
    assert (tile(shades(0, 0, 0, 0), columns=2, ground=0) == 0).all()


def test_grey_tiles_are_accepted():
    assert (tile(np.zeros((1, 3, 3, 1)), columns=1) == np.zeros((3, 3, 3))).all()


def test_images_are_enlarged_by_integer_factors():
    pictures = np.arange(4.0).reshape(1, 2, 2, 1)
    assert enlarged(pictures, 5)[0, :, :, 0].tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [2, 2, 3, 3],
        [2, 2, 3, 3],
    ]
    assert enlarged(pictures, 1).shape == (1, 2, 2, 1)


def test_sheet_without_captions_is_one_image_that_looks_the_same():
    tiles = shades(0.1, 0.2, 0.3)
    plain, captioned = (plot_contact_sheet(tiles, [c, "", ""], 2, "t") for c in ("", "a"))
    [sheet], pictures = plain.findobj(Picture), captioned.findobj(Picture)
    assert len(pictures) == 3
    assert sheet.box.x0 == pytest.approx(pictures[0].box.x0)
    assert sheet.box.x1 == pytest.approx(pictures[1].box.x1)
    width, gap = pictures[0].box.width, pictures[1].box.x0 - pictures[0].box.x1
    assert sheet.box.height == pytest.approx(2 * width + gap)


@pytest.mark.parametrize("number", [1, 3, 8, 12])
def test_title_is_not_cut_off_and_captions_do_not_overlap(number, fits, install_font):
    install_font("Squares", chinese := "阿布拉罕辛普森爷爷春田镇的居民们")
    caption = f"{chinese}\n→ abraham_grampa_simpson\n0 → 100 % train"
    title = "Likely label errors, epoch 5: 2,924 of 4,250 images may be of another class (orange)"
    figure = plot_contact_sheet(
        np.zeros((number, 9, 9, 3)), [caption] * number, min(number, 4), title
    )
    assert fits(figure)
    boxes = [text.get_window_extent() for text in figure.texts[1:5]]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
