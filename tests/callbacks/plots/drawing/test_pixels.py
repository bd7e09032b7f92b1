import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots.drawing.fixed_layout import add_picture_axes
from callbacks.plots.drawing.pixels import show_pixels
from callbacks.plots.drawing.style import DPI

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def drawn(show, size, dpi):
    """Pixels of a figure with a picture."""
    axes = add_picture_axes(size, "title")
    show(axes)
    canvas = FigureCanvasAgg(axes.figure)
    axes.figure.set_dpi(dpi)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize(("size", "dpi"), [((60, 40), DPI), ((30, 20), DPI), ((60, 40), 2 * DPI)])
def test_image_is_drawn_as_by_imshow(size, dpi):
    ours = drawn(lambda axes: show_pixels(axes, PICTURE), size, dpi)
    np.testing.assert_array_equal(
        ours, drawn(lambda axes: axes.imshow(PICTURE, aspect="auto"), size, dpi)
    )


def test_every_pixel_is_in_its_place():
    page = drawn(lambda axes: show_pixels(axes, PICTURE), (60, 40), DPI)
    inside = page[-12 - 40 : -12, 12 : 12 + 60, :3]
    np.testing.assert_array_equal(inside, PICTURE)
