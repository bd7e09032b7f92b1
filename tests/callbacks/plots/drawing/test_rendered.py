import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from callbacks.plots.drawing.encoded import as_png, as_webp
from callbacks.plots.drawing.fonts import SHAPES
from callbacks.plots.drawing.legible import legible
from callbacks.plots.drawing.page import new_page, write
from callbacks.plots.drawing.rendered import rendered


def plain(figure):
    """Pixels as Matplotlib draws them."""
    canvas = FigureCanvasAgg(legible(figure))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


@pytest.mark.parametrize("angle", [0, 90, 30])
def test_texts_at_whole_pixels_look_as_matplotlib_draws_them(angle):
    page = new_page(200, 150)
    text = write(page, 60, 60, "Jagged (98%)", 9, color="#D55E00", rotation=angle)
    text.set_rotation_mode("anchor")
    text.set_verticalalignment("baseline")
    np.testing.assert_allclose(rendered(page).astype(int), plain(page), atol=1)


def test_no_text_moves_by_more_than_a_pixel():
    page = new_page(120, 60)
    write(page, 20.4, 30.7, "text", 9, va="center")
    ours, theirs = (np.argwhere(draw(page)[..., 0] < 128) for draw in (rendered, plain))
    for end in (np.min, np.max):
        np.testing.assert_allclose(end(ours, axis=0), end(theirs, axis=0), atol=1)


def test_opacity_of_a_text_is_kept():
    page = new_page(60, 60)
    write(page, 10, 50, "█", 20, color=(0, 0, 0, 0.5))
    assert int(rendered(page).min()) == pytest.approx(127, abs=1)
    page.texts[0].set_alpha(0.25)
    assert int(rendered(page).min()) == pytest.approx(191, abs=1)


@pytest.mark.skipif(not SHAPES, reason="this matplotlib writes nothing from right to left")
def test_what_follows_a_hebrew_name_is_right_of_it():
    page = new_page(120, 40)
    write(page, 10, 30, "שלום → █", 9)
    dark = rendered(page)[..., 0] < 128
    block = np.flatnonzero(dark.sum(axis=0) == dark.sum(axis=0).max())
    assert block.min() > np.flatnonzero(dark.any(axis=0)).mean()


def test_a_text_is_drawn_by_matplotlib_only_once(monkeypatch):
    calls, draw_text = [], RendererAgg.draw_text
    monkeypatch.setattr(
        RendererAgg, "draw_text", lambda *a, **k: (calls.append(a[4]), draw_text(*a, **k))
    )
    for _ in range(3):
        page = new_page(60, 60)
        for y in (20, 40):
            write(page, 10, y, "only once", 9)
        rendered(page)
    assert calls == ["only once"]


def test_ticks_of_hidden_axes_are_not_made():
    figure = Figure()
    axes = figure.subplots()
    before = len(axes.xaxis.majorTicks)
    axes.set_axis_off()
    axes.set_title("title $a$")
    legible(figure)
    assert len(axes.xaxis.majorTicks) == before
    assert not axes.title.get_parse_math()
    assert len(figure.findobj(Text)) > 10  # asking makes them


def test_files_hold_the_image():
    image = np.random.default_rng(0).integers(0, 255, (9, 7, 3), dtype=np.uint8)
    for content, tolerance in ((as_png(image), 0), (as_webp(image), 160)):
        read = Image.open(io.BytesIO(content))
        assert read.size == (7, 9)
        np.testing.assert_allclose(np.asarray(read).astype(int), image, atol=tolerance)
