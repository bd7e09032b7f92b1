import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots.drawing.page import Box, new_page, resized, show, shrunk, write
from callbacks.plots.drawing.rendered import rendered
from callbacks.plots.drawing.style import DPI

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(97, 61), (660, 743), (1001, 999)])
def test_every_pixel_is_in_its_place(size):
    page = new_page(*size)
    show(page, PICTURE, Box(12, 9, 60, 40))
    drawn = rendered(page)
    assert drawn.shape == (size[1], size[0], 3)
    np.testing.assert_array_equal(drawn[9 : 9 + 40, 12 : 12 + 60], PICTURE)
    assert (drawn[:9] == 255).all()
    assert (drawn[:, :12] == 255).all()


def test_page_can_be_drawn_at_another_resolution():
    page = new_page(80, 60)
    show(page, PICTURE, Box(10, 10, 60, 40))
    page.set_dpi(2 * DPI)
    canvas = FigureCanvasAgg(page)
    canvas.draw()
    twice = PICTURE.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(np.asarray(canvas.buffer_rgba())[20:100, 20:140, :3], twice)


def test_grey_images_and_fractions_are_drawn():
    page = new_page(10, 10)
    show(page, np.full((2, 2, 1), 0.5), Box(0, 0, 10, 10))
    assert (rendered(page) == 128).all()


def test_smaller_images_are_means_and_larger_ones_repeat_pixels():
    ramp = np.arange(4.0).reshape(1, 4, 1) * np.ones((4, 1, 1))
    assert resized(ramp, 2, 2)[..., 0].tolist() == [[0.5, 2.5]] * 2
    assert resized(ramp, 8, 4)[0, :, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert resized(ramp, 4, 4) is ramp
    assert shrunk(PICTURE, 30).shape == (20, 30, 3)
    assert shrunk(PICTURE, 90) is PICTURE


def test_text_stays_in_its_place_if_the_figure_grows_at_the_top():
    page = new_page(100, 50)
    text = write(page, 20, 30, "text", 8)
    FigureCanvasAgg(page)
    before = text.get_window_extent().min
    page.set_figheight(80 / DPI)
    np.testing.assert_allclose(text.get_window_extent().min, before)
