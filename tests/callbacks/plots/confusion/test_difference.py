import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from callbacks.plots import BAD, GOOD, plot_confusion_difference
from callbacks.plots.confusion.cells import Numbers
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture

NAMES = ["cat", "dog", "owl"]
FIRST = np.array([[8, 2, 0], [0, 5, 5], [0, 0, 0]])
SECOND = np.array([[9, 0, 1], [0, 9, 1], [0, 0, 0]])


def texts(figure):
    return [text.get_text() for text in figure.texts]


def numbers(figure):
    """Texts of the cells, row by row."""
    [found] = figure.findobj(Numbers)
    return found.texts.flatten().tolist()


def networks(num_classes):
    """Counts of two networks on the same images."""
    rng = np.random.default_rng(0)
    size = (num_classes, num_classes)
    first, moved = rng.poisson(1, size), rng.poisson(0.3, size)
    np.fill_diagonal(first, 20)
    moved = np.minimum(moved, first)
    return first, first - moved + np.roll(moved, 1, axis=1)


def test_cells_are_signed_changes_in_percent_of_the_true_class():
    figure = plot_confusion_difference(FIRST, SECOND, NAMES, "t")
    assert numbers(figure) == ["+10", "-20", "+10", "", "+40", "-40", "", "", ""]
    assert figure.findobj(ColourBar)[0].label == "change in % of the true class"


def test_colours_are_symmetric_about_white_at_zero():
    figure = plot_confusion_difference(FIRST, SECOND, NAMES, "t")
    [bar] = figure.findobj(ColourBar)
    assert (bar.norm.vmin, bar.norm.vmax) == pytest.approx((-40, 40))
    np.testing.assert_allclose(bar.norm([-40, -10, 0, 10, 40]), [0, 0.25, 0.5, 0.75, 1])
    pixels = figure.findobj(Picture)[0].pixels
    cell = len(pixels) // 3
    middles = pixels[cell // 2 :: cell, cell // 2 :: cell].astype(int)
    assert middles[2].min() > 0.95 * 255  # no change is white
    assert middles[0, 1, 2] > middles[0, 1, 0]  # less is violet
    assert middles[1, 1, 0] > middles[1, 1, 2]  # more is orange


def test_largest_changes_are_listed():
    figure = plot_confusion_difference(FIRST, SECOND, NAMES, "t")
    assert texts(figure)[-6:] == [
        "dog → owl",
        "5 → 1 images",
        "cat → dog",
        "2 → 0 images",
        "cat → owl",
        "0 → 1 images",
    ]
    bars = [a for a in figure.artists if isinstance(a, Rectangle) and a.get_fill()]
    colors = [to_rgb(bar.get_facecolor()) for bar in bars]
    assert colors == [to_rgb(GOOD), to_rgb(GOOD), to_rgb(BAD)]


@pytest.mark.parametrize("num_classes", [2, 61])
def test_equal_networks_are_white_with_an_empty_list(num_classes):
    counts, _ = networks(num_classes)
    names = [str(index) for index in range(num_classes)]
    figure = plot_confusion_difference(counts, counts, names, "t")
    FigureCanvasAgg(figure).draw()
    assert not any(numbers(figure))
    assert not any("→" in text for text in texts(figure))


@pytest.mark.parametrize("num_classes", [2, 20, 50, 100])
def test_can_be_read_at_any_number_of_classes(num_classes):
    names = [f"a class that is called {index}" for index in range(num_classes)]
    title = "from one to another\n1,000 test images"
    figure = plot_confusion_difference(*networks(num_classes), names, title)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    pictures = figure.findobj(Picture)
    assert len(pictures) == 1 + (num_classes > 60)


def test_changed_classes_among_many_are_enlarged():
    counts = np.diag(np.full(100, 9))
    changed = counts.copy()
    changed[3, 3], changed[3, 77] = 4, 5
    names = [f"class {index}" for index in range(100)]
    figure = plot_confusion_difference(counts, changed, names, "t")
    assert {"class 3", "class 77"} == {t for t in texts(figure) if t in names}
    assert sorted(numbers(figure)) == ["", "", "+56", "-56"]
    overview, _ = figure.findobj(Picture)
    assert len(np.unique(overview.pixels.reshape(-1, 3), axis=0)) == 3
