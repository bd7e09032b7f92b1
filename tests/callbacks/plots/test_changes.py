import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from callbacks.plots import BAD, GOOD, plot_changes
from callbacks.plots.changes import Change
from callbacks.plots.drawing.page import Picture

IMAGES = np.linspace(0, 1, 20)[:, None, None, None] * np.ones((20, 24, 24, 1))
FIXED = Change("owl", "dog", 0.98, "owl", 0.6)
LONG = Change("abraham_grampa", "charles_montgomery_burns", 1.0, "abraham_grampa_simpson", 1.0)
TITLE = "fixed: 31 of 1,360 test images\na-long-name-of-a-run-12a → a-long-name-of-a-run-34b\nc"


def test_captions_have_label_and_both_predictions_with_confidence():
    broken = Change("owl", "owl", 0.7, "cat", 0.85)
    _, *captions = plot_changes(IMAGES[:2], [FIXED, broken], "t").texts
    assert [text.get_text() for text in captions] == [
        "owl\ndog (98%)\n→ owl (60%)",
        "owl\nowl (70%)\n→ cat (85%)",
    ]
    assert [to_rgb(text.get_color()) for text in captions] == [to_rgb(GOOD), to_rgb(BAD)]


def test_images_are_in_their_order():
    shown = plot_changes(IMAGES, [FIXED] * 20, "t").findobj(Picture)
    assert [picture.pixels[0, 0, 0] for picture in shown] == pytest.approx(IMAGES[:, 0, 0, 0])


@pytest.mark.parametrize("number", [1, 2, 3, 9, 20])
def test_nothing_is_cut_off_and_many_images_are_wider_than_high(number):
    figure = plot_changes(IMAGES[:number], [LONG] * number, TITLE)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert number < 3 or 1.2 < page[0] / page[1] < 2.6


def test_captions_do_not_overlap():
    figure = plot_changes(IMAGES, [LONG] * 20, "t")
    FigureCanvasAgg(figure).draw()
    first, second = (text.get_window_extent() for text in figure.texts[1:3])
    assert first.x1 < second.x0
    assert all(text.get_text().count("…") == 2 for text in figure.texts[1:])  # no number is cut
