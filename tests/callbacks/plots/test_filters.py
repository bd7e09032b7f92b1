import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots import plot_filters
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture


def shown(figure):
    """Pixels of the mosaic."""
    return figure.findobj(Picture)[0].pixels


def ends(figure):
    """Lowest and highest value of the colour bar."""
    [bar] = figure.findobj(ColourBar)
    return bar.norm.vmin, bar.norm.vmax


def fits(figure):
    """Whether everything that is drawn lies within the figure's edges."""
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    return min(drawn.x0, drawn.y0) > -0.01 and (drawn.max <= page + 0.01).all()


def color(name, value):
    """Colour of a value in [0, 1]."""
    return np.array(matplotlib.colormaps[name](value, bytes=True)[:3])


def test_filters_share_a_scale_with_zero_in_the_middle():
    filters = np.zeros((2, 3, 3))
    filters[0, 0, 0], filters[1, 0, 0] = 0.2, -0.1
    figure = plot_filters(filters, "conv")
    assert ends(figure) == pytest.approx((-0.2, 0.2))
    sheet = shown(figure)
    width = sheet.shape[1]
    for column, value in ((0, 1.0), (width // 2 + 20, 0.25), (width - 1, 0.5)):
        np.testing.assert_array_equal(sheet[0, column], color("RdBu_r", value))


def test_scale_of_magnitudes_starts_at_zero():
    figure = plot_filters(np.array([[[0.0, 0.3]]]), "conv", magnitude=True)
    assert ends(figure) == pytest.approx((0, 0.3))
    np.testing.assert_array_equal(shown(figure)[0, 0], color("viridis", 0.0))
    np.testing.assert_array_equal(shown(figure)[0, -1], color("viridis", 1.0))


def test_colour_filters_are_in_colour_around_grey():
    filters = np.zeros((1, 2, 2, 3))
    filters[0, 0, 0] = [0.4, 0, -0.4]
    figure = plot_filters(filters, "conv")
    assert shown(figure)[0, 0].tolist() == [255, 128, 0]
    assert shown(figure)[-1, -1].tolist() == [128, 128, 128]
    assert ends(figure) == pytest.approx((-0.4, 0.4))


def test_matrix_has_a_row_for_each_filter_and_a_column_for_each_input():
    weights = np.zeros((4, 6))
    weights[1, 5] = 2
    axes = plot_filters(weights, "conv").axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("filter", "input")
    assert axes.images[0].get_extent() == [-0.5, 5.5, 3.5, -0.5]
    strong = (np.asarray(axes.images[0].get_array()) == color("RdBu_r", 1.0)).all(axis=2)
    assert np.argwhere(strong).tolist() == [[1, 5]]


def test_with_more_inputs_than_pixels_the_strongest_are_drawn():
    weights = np.full((2, 2000), 0.1)
    weights[0, 1500], weights[1, 3] = -1, 1
    axes = plot_filters(weights, "conv").axes[0]
    assert axes.get_xlabel() == "input (largest magnitude of every 4)"
    sheet = np.asarray(axes.images[0].get_array())
    assert sheet.shape == (2, 500, 3)
    np.testing.assert_array_equal(sheet[0, 375], color("RdBu_r", 0.0))
    np.testing.assert_array_equal(sheet[1, 0], color("RdBu_r", 1.0))


def test_dead_layer_is_drawn():
    assert fits(plot_filters(np.zeros((4, 3, 3)), "conv"))


@pytest.mark.parametrize(
    "shape",
    [
        (1, 3, 3),
        (7, 5, 5),
        (64, 16, 16, 3),
        (600, 3, 3),
        (8, 1, 7),
        (64, 48, 48),
        (5, 1),
        (9, 3000),
    ],
)
def test_mosaics_of_any_shape_fit_the_figure_and_are_legible(shape):
    filters = np.random.default_rng(0).normal(scale=1e-3, size=shape)
    figure = plot_filters(filters, "layer1.0.conv1: 64 of 128 filters\nepoch 4")
    assert fits(figure)
    width, height = figure.get_size_inches()
    assert 0.7 < width / height < 1.6
    assert 4 < width < 9
