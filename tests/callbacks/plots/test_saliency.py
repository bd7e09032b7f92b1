import numpy as np
import pytest

from callbacks.plots.saliency import plot_saliency

METHODS = ("smooth_grad", "integrated_gradients", "gradient_times_input")


def drawn(number, methods, empty=()):
    maps = {name: np.full((number, 9, 9), float(name not in empty)) for name in methods}
    title = "Saliency for the predicted class, best.ckpt, epoch 13: 6 images"
    captions = ["buildings 92%\nnot mountain"] * number
    return plot_saliency(np.ones((number, 9, 9, 3)), maps, captions, ["black"] * number, title)


@pytest.mark.parametrize("number", [1, 6])
@pytest.mark.parametrize("methods", [("vanilla",), METHODS])
def test_title_headers_and_colour_bar_fit(number, methods, fits):
    figure = drawn(number, methods)
    assert fits(figure)
    heads = [text for text in figure.texts if text.get_va() == "bottom"]
    assert len(heads) == 1 + len(methods)
    title = figure._suptitle.get_window_extent()
    assert all(head.get_window_extent().y1 < title.y0 for head in heads)
    middle = (title.x0 + title.x1) / 2
    assert middle == pytest.approx(figure.bbox.width / 2, abs=2)


def test_captions_start_near_the_left_edge(fits):
    figure = drawn(6, METHODS)
    assert fits(figure)
    captions = [text for text in figure.texts if text.get_ha() == "right"]
    assert captions[0].get_window_extent().x0 < 0.05 * figure.bbox.width


def test_map_without_signal_is_labelled():
    texts = [t.get_text() for t in drawn(2, ("vanilla", "rectified"), ["rectified"]).texts]
    assert texts.count("no signal") == 2
    assert "no signal" not in [t.get_text() for t in drawn(2, ("vanilla",)).texts]
