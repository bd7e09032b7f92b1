import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from callbacks.plots import BAD, GOOD, plot_confusion_difference

NAMES = ["cat", "dog", "owl"]
FIRST = np.array([[8, 2, 0], [0, 5, 5], [0, 0, 0]])
SECOND = np.array([[9, 0, 1], [0, 9, 1], [0, 0, 0]])


def texts(axes):
    return [text.get_text() for text in axes.texts]


def shown(figure):
    cells = np.asarray(figure.axes[0].collections[0].get_array())
    return cells.reshape(round(cells.size**0.5), -1)


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
    np.testing.assert_allclose(shown(figure), [[10, -20, 10], [0, 40, -40], [0, 0, 0]])
    assert texts(figure.axes[0]) == ["+10", "-20", "+10", "", "+40", "-40", "", "", ""]
    assert "change in % of the true class" in [a.get_ylabel() for a in figure.axes]


def test_colours_are_symmetric_about_white_at_zero():
    cells = plot_confusion_difference(FIRST, SECOND, NAMES, "t").axes[0].collections[0]
    assert (cells.norm.vmin, cells.norm.vmax) == pytest.approx((-40, 40))
    np.testing.assert_allclose(cells.norm([-40, -10, 0, 10, 40]), [0, 0.25, 0.5, 0.75, 1])
    assert min(cells.cmap(0.5)[:3]) > 0.95


def test_largest_changes_are_listed():
    below = plot_confusion_difference(FIRST, SECOND, NAMES, "t").axes[1]
    assert texts(below) == [
        "dog → owl",
        "5 → 1 images",
        "cat → dog",
        "2 → 0 images",
        "cat → owl",
        "0 → 1 images",
    ]
    colors = [to_rgb(bar.get_facecolor()) for bar in below.patches]
    assert colors == [to_rgb(GOOD), to_rgb(GOOD), to_rgb(BAD)]


@pytest.mark.parametrize("num_classes", [2, 61])
def test_equal_networks_are_white_with_an_empty_list(num_classes):
    counts, _ = networks(num_classes)
    names = [str(index) for index in range(num_classes)]
    figure = plot_confusion_difference(counts, counts, names, "t")
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    assert not any(text for axes in figure.axes for text in texts(axes))


@pytest.mark.parametrize("num_classes", [2, 20, 50, 100])
def test_can_be_read_at_any_number_of_classes(num_classes):
    names = [f"a class that is called {index}" for index in range(num_classes)]
    title = "from one to another\n1,000 test images"
    figure = plot_confusion_difference(*networks(num_classes), names, title)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    [cells] = [axes for axes in figure.axes if axes.get_ylabel() == "true" and axes.collections]
    assert len(cells.get_yticklabels()) in ((num_classes,) if num_classes <= 60 else (19, 20))


def test_changed_classes_among_many_are_enlarged():
    counts = np.diag(np.full(100, 9))
    changed = counts.copy()
    changed[3, 3], changed[3, 77] = 4, 5
    names = [f"class {index}" for index in range(100)]
    overview, cells, *_ = plot_confusion_difference(counts, changed, names, "t").axes
    assert sorted(label.get_text() for label in cells.get_yticklabels()) == ["class 3", "class 77"]
    assert sorted(texts(cells)) == ["", "", "+56", "-56"]
    assert np.unique(np.asarray(overview.images[0].get_array()).round()).tolist() == [-56, 0, 56]
