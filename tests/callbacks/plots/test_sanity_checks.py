import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from callbacks.plots.sanity_checks import CheckResult, plot_sanity_checks

LAYERS = ["head.layers.1", "encoder.layers.encoder_layer_7.self_attention", "conv1"]
CHANCE = (np.linspace(1, 0, 5), np.linspace(0, 1, 5))


def result():
    falls = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    return CheckResult(np.array([0.75, 0.5, 0.25]), falls, 1 - falls, 0.3)


def draw(names, image=np.full((4, 6, 1), 0.5), title="t"):
    maps = {name: np.zeros((4, *image.shape[:2])) for name in names}
    for stages in maps.values():
        stages[0, 1, 2] = 3.0
    return plot_sanity_checks(
        image, LAYERS, maps, {name: result() for name in names}, CHANCE, title
    )


def test_correlations_start_at_one_and_end_with_the_last_stage():
    chart = draw(["grad_cam"]).axes[1]
    values = chart.get_lines()[1].get_ydata()
    assert list(values) == [1, 0.75, 0.5, 0.25]


def test_correlations_are_below_their_maps():
    figure = draw(["grad_cam", "vanilla"])
    strip, chart = figure.axes[:2]
    assert strip.get_xlim() == chart.get_xlim()
    np.testing.assert_allclose(strip.get_position().intervalx, chart.get_position().intervalx)
    middles = [np.mean(image.get_extent()[:2]) for image in strip.images[:5]]
    assert list(chart.get_lines()[1].get_xdata()) == pytest.approx(middles[1:])


def test_strongest_pixel_of_a_map_is_bright_and_a_flat_map_is_dark():
    strip = draw(["grad_cam"]).axes[0]
    image, trained, first = (np.asarray(shown.get_array()) for shown in strip.images[:3])
    assert (image == 0.5).all()
    np.testing.assert_allclose(trained[1, 2], to_rgb("#fde725"), atol=0.01)  # viridis' yellow
    np.testing.assert_allclose(first, np.broadcast_to(to_rgb("#440154"), first.shape), atol=0.01)


def test_legend_has_the_areas():
    deletion, insertion = draw(["Grad-CAM"]).axes[2:]
    labels = [text.get_text() for text in deletion.get_legend().get_texts()]
    assert labels == [
        "random order: 0.50",
        "Grad-CAM: 0.12 (moved elsewhere 0.30)",
    ]  # half a step of four
    labels = [text.get_text() for text in insertion.get_legend().get_texts()]
    assert labels == ["random order: 0.50", "Grad-CAM: 0.88"]


@pytest.mark.parametrize("num_methods", [1, 8])
def test_legends_cover_no_curves(num_methods):
    figure = draw([f"gradient x input {index}" for index in range(num_methods)])
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    for axes in figure.axes[2:]:
        box = axes.get_legend().get_window_extent()
        assert 0 <= box.y0 < box.y1 < axes.get_tightbbox().y1
        assert box.y1 < axes.xaxis.label.get_window_extent().y0


@pytest.mark.parametrize("num_methods", [1, 2, 8])
def test_every_method_is_drawn_and_nothing_is_cut_off(num_methods):
    figure = draw([f"integrated gradients {index}" for index in range(num_methods)])
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert len(figure.axes[1].get_lines()) == num_methods + 1
    assert len(figure.axes[0].images) == num_methods * 5


def test_lines_of_the_title_do_not_cover_the_maps():
    """Among them the verdict, which may need several lines."""
    figure = draw(["grad_cam"], title="t\n" + "Do not trust the maps of grad_cam. " * 12)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    title = figure._suptitle.get_window_extent()
    strip = figure.axes[0].get_tightbbox(canvas.get_renderer())
    assert strip.y1 < title.y0
    assert title.x0 > 0
    assert title.x1 < figure.bbox.width
