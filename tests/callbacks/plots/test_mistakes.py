import math

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from callbacks.plots import BAD, GOOD, plot_mistakes
from callbacks.plots.drawing.overlays import overlaid
from callbacks.plots.drawing.page import Picture
from callbacks.plots.mistakes import NamedPrediction

IMAGES = np.linspace(0, 1, 9)[:, None, None, None] * np.ones((9, 24, 24, 1))
MAPS = np.broadcast_to(np.eye(24), (9, 24, 24))
PREDICTIONS = [NamedPrediction("charles_montgomery_burns", 1.0, "abraham_grampa_simpson", 0.0)] * 9


def test_each_image_is_beside_its_overlay():
    tile = plot_mistakes(IMAGES, MAPS, PREDICTIONS, "t").findobj(Picture)[4].pixels
    assert tile.shape == (24, 24 + 1 + 24, 3)
    np.testing.assert_allclose(tile[:, :24], 0.5)
    np.testing.assert_allclose(tile[:, 24], 1)
    np.testing.assert_allclose(tile[:, 25:], overlaid(IMAGES, MAPS)[4])


@pytest.mark.parametrize("maps", [MAPS, None])
def test_nine_images_are_three_by_three(maps):
    figure = plot_mistakes(IMAGES, maps, PREDICTIONS, "t")
    corners = {(picture.box.x0, picture.box.y1) for picture in figure.findobj(Picture)}
    assert [len(set(side)) for side in zip(*corners, strict=True)] == [3, 3]


def test_captions_have_prediction_label_and_loss():
    predictions = [
        NamedPrediction("cat", 0.97, "dog", -math.log(0.02)),
        NamedPrediction("owl", 0.6, "owl", 0.51),
    ]
    _, *captions = plot_mistakes(IMAGES[:2], None, predictions, "t").texts
    assert [text.get_text() for text in captions] == [
        "cat (97%)\nnot dog (2%)\nloss 3.91",
        "owl (60%)\ncorrect\nloss 0.51",
    ]
    assert [to_rgb(text.get_color()) for text in captions] == [to_rgb(BAD), to_rgb(GOOD)]


def test_flat_map_is_captioned():
    maps = np.stack([np.zeros((24, 24)), np.eye(24)])
    _, *captions = plot_mistakes(IMAGES[:2], maps, PREDICTIONS[:2], "t").texts
    flat = [text.get_text().endswith("\n(no evidence)") for text in captions]
    assert flat == [True, False]


@pytest.mark.parametrize("number", [1, 2, 6, 9])
@pytest.mark.parametrize("with_maps", [True, False])
def test_sheet_is_nearly_square_and_nothing_is_cut_off(number, with_maps):
    maps = MAPS[:number] if with_maps else None
    pair = "charles_mon…burns predicted as abraham_gra…mpson"
    title = f"{pair}\nvalidation: 7 of 9 images, 14% of the class"
    figure = plot_mistakes(IMAGES[:number], maps, PREDICTIONS[:number], title)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert 0.45 < page[0] / page[1] < 2.2


def test_captions_do_not_overlap():
    figure = plot_mistakes(IMAGES, MAPS, PREDICTIONS, "t")
    FigureCanvasAgg(figure).draw()
    first, second = (text.get_window_extent() for text in figure.texts[1:3])
    assert first.x1 < second.x0
    assert all(text.get_text().count("…") == 2 for text in figure.texts[1:])  # no number is cut
