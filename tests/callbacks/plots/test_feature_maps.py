import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots import plot_feature_maps
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture

RAMP = np.linspace(0, 1, 16).reshape(4, 4)
IMAGE = np.full((8, 12, 1), 0.5)
LIVE = np.zeros(2, bool)


def halves(figure):
    """Pixels of two maps side by side."""
    pixels = figure.findobj(Picture)[-1].pixels
    side = pixels.shape[0]
    return pixels[:, :side], pixels[:, -side:]


def bar(figure):
    """Label and range of the colour bar."""
    [found] = figure.findobj(ColourBar)
    return found.label, found.norm.vmin, found.norm.vmax


def color(name, value):
    """Colour of a value in [0, 1]."""
    return np.array(matplotlib.colormaps[name](value, bytes=True)[:3])


def test_each_map_is_relative_to_its_own_maximum():
    figure = plot_feature_maps(np.stack([RAMP, 0.01 * RAMP]), IMAGE, LIVE, "t")
    strong, weak = halves(figure)
    np.testing.assert_array_equal(strong, weak)
    assert bar(figure) == ("output relative to the maximum of the map", 0, 1)


def test_on_one_scale_a_weak_map_is_dark():
    figure = plot_feature_maps(np.stack([8 * RAMP, RAMP]), IMAGE, LIVE, "t", one_scale=True)
    strong, weak = halves(figure)
    np.testing.assert_array_equal(strong[-1, -1], color("viridis", 1.0))
    np.testing.assert_array_equal(weak[-1, -1], color("viridis", 1 / 8))
    assert bar(figure) == ("output", 0, 8)


def test_signed_maps_are_symmetric_about_zero():
    figure = plot_feature_maps(np.stack([RAMP, -4 * RAMP]), IMAGE, LIVE, "t")
    positive, negative = halves(figure)
    np.testing.assert_array_equal(positive[0, 0], color("RdBu_r", 0.5))
    np.testing.assert_array_equal(positive[-1, -1], color("RdBu_r", 1.0))
    np.testing.assert_array_equal(negative[-1, -1], color("RdBu_r", 0.0))
    assert bar(figure)[1:] == (-1, 1)


def test_dead_map_is_crossed_out():
    maps = np.stack([RAMP, np.full((4, 4), 9.0)])
    figure = plot_feature_maps(maps, IMAGE, np.array([False, True]), "t", one_scale=True)
    alive, dead = halves(figure)
    grey, cross = dead[len(dead) // 2, 0], dead[0, 0]
    assert grey.tolist() == [200] * 3
    assert cross.tolist() == dead[-1, 0].tolist() == [90] * 3
    np.testing.assert_array_equal(
        alive[-1, -1], color("viridis", 1.0)
    )  # the scale ignores dead maps


@pytest.mark.parametrize("one_scale", [False, True])
def test_completely_dead_layer_is_drawn(one_scale):
    figure = plot_feature_maps(np.zeros((2, 4, 4)), IMAGE, ~LIVE, "t", one_scale)
    FigureCanvasAgg(figure).figure.draw_without_rendering()


def test_image_beside_the_title_keeps_its_aspect_ratio():
    figure = plot_feature_maps(np.stack([RAMP, RAMP]), IMAGE, LIVE, "layer1\n2 of 2 maps")
    corner = next(p for p in figure.findobj(Picture) if p.pixels.shape[:2] == (8, 12))
    box = corner.get_window_extent()
    assert box.width / box.height == pytest.approx(1.5, abs=0.02)
    [title] = figure.texts
    assert title.get_window_extent(FigureCanvasAgg(figure).get_renderer()).x0 > box.x1


@pytest.mark.parametrize("shape", [(64, 112, 112), (64, 4, 4), (30, 54, 54), (1, 7, 7), (9, 6, 12)])
def test_mosaics_of_any_shape_fit_the_figure(shape):
    maps = np.random.default_rng(0).random(shape)
    title = (
        "layer4.2.conv3 after ReLU\n64 of 2048 maps, 100 constant (10 crossed out)\nimage: horse"
    )
    figure = plot_feature_maps(maps, np.ones((224, 224, 3)), np.zeros(len(maps), bool), title)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert 0.7 < page[0] / page[1] < 1.6
    assert 4 < page[0] < 9
