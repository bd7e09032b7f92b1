import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from callbacks.plots import plot_confusion_matrix
from callbacks.plots.confusion.cells import DARK, LIGHT, PAD, Numbers
from callbacks.plots.confusion.matrix import percent_colors
from callbacks.plots.confusion.panels import reduced
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture, new_page
from callbacks.plots.drawing.rendered import rendered
from callbacks.plots.drawing.style import BAD

NAMES = ["cat", "dog", "owl"]
COUNTS = np.array([[8, 2, 0], [0, 5, 5], [0, 0, 0]])


def texts(figure):
    return [text.get_text() for text in figure.texts]


def numbers(figure):
    """Texts of the cells, row by row."""
    [found] = figure.findobj(Numbers)
    return found.texts.flatten().tolist()


def cells_of(figure):
    """The image of the cells with class names."""
    return figure.findobj(Picture)[-1]


def names(figure):
    """Names of the classes to the left of the cells, and those below."""
    box = cells_of(figure).box
    places = {t: t.get_transform().transform(t.get_position()) for t in figure.texts}
    beside = [t for t, (x, _) in places.items() if abs(x - box.x0 + PAD) < 1]
    below = [t for t, (_, y) in places.items() if abs(y - box.y0 + PAD) < 1]
    return beside, below


def filled(figure):
    """Bars of the list."""
    return [a for a in figure.artists if isinstance(a, Rectangle) and a.get_fill()]


def confused(num_classes, group_size=10):
    """Classes that are confused within groups, which are spread over the matrix."""
    rng = np.random.default_rng(0)
    group = rng.permutation(num_classes) // group_size
    counts = rng.poisson(1.5 * (group[:, None] == group))
    np.fill_diagonal(counts, 40)
    return counts, [f"a class that is called {index}" for index in range(num_classes)]


def test_percent_of_each_true_class():
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=True)
    assert numbers(figure) == ["80", "20", "", "", "50", "50", "", "", ""]
    pixels, colors = cells_of(figure).pixels, percent_colors()
    cell = len(pixels) // 3
    middles = pixels[cell // 2 :: cell, cell // 2 :: cell]
    np.testing.assert_array_equal(
        middles, colors.paint(np.array([[80, 20, 0], [0, 50, 50], [0, 0, 0]]))
    )


def test_numbers_are_light_on_dark_cells():
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=True)
    [found] = figure.findobj(Numbers)
    assert found.colors[0].tolist() == [LIGHT, DARK, DARK]


def test_numbers_are_in_the_middle_of_their_cells():
    page, box = new_page(90, 60), Bbox.from_bounds(0, 0, 90, 60)
    texts = np.array([["", "8", ""], ["", "", ""]])
    page.add_artist(Numbers(box, texts, np.full((2, 3), "black"), 9))
    rows, columns = np.nonzero(rendered(page)[..., 0] < 128)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(44.5, abs=1)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(14.5, abs=1)


def test_counts():
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=False)
    assert numbers(figure) == ["8", "2", "", "", "5", "5", "", "", ""]


def test_rows_are_true_classes_and_columns_predictions():
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=False)
    for found in names(figure):
        assert [text.get_text() for text in found] == NAMES
    box, places = cells_of(figure).box, {t.get_text(): t.get_window_extent() for t in figure.texts}
    assert places["true"].x1 < box.x0
    assert places["predicted"].y1 < box.y0


@pytest.mark.parametrize("normalize", [True, False])
def test_most_frequent_confusions_are_listed(normalize):
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize)
    assert texts(figure)[-4:] == [
        "dog → owl",
        "5 images, 50% of the class",
        "cat → dog",
        "2 images, 20% of the class",
    ]
    first, second = (bar.get_width() for bar in filled(figure))
    assert first / second == pytest.approx(5 / 2)


def test_scale_of_counts_has_whole_numbers():
    figure = plot_confusion_matrix(np.eye(3, dtype=int), NAMES, "t", normalize=False)
    [bar] = figure.findobj(ColourBar)
    assert bar.ticks == [0, 1]


@pytest.mark.parametrize("num_classes", [2, 20, 50, 100, 300])
def test_can_be_read_at_any_number_of_classes(num_classes, fits):
    counts, class_names = confused(num_classes)
    figure = plot_confusion_matrix(counts, class_names, "t", normalize=True)
    assert fits(figure)
    beside, below = names(figure)
    assert len(beside) == len(below)
    assert len(beside) in ((num_classes,) if num_classes <= 60 else (19, 20))
    for labels, side in ((beside, "height"), (below, "width")):
        assert all(label.get_fontsize() >= 6 for label in labels)
        pitch = getattr(cells_of(figure).box, side) / len(labels)
        assert getattr(labels[0].get_window_extent(), side) <= pitch + 1  # names do not overlap


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    "class_names",
    [
        ["buildings", "forest", "glacier", "mountain", "sea", "street"],
        ["阿布拉罕辛普森爷爷春田镇的居民们", "狗", "猫"],
        ["W" * 30] * 10,
        [f"阿布拉罕辛普森爷爷春田镇的居民们 {index}" for index in range(70)],
    ],
)
def test_no_name_and_no_label_is_cut_off(class_names, normalize, fits):
    counts = 9 * np.eye(len(class_names), dtype=int) + 1
    figure = plot_confusion_matrix(counts, class_names, "t", normalize)
    assert fits(figure)
    assert cells_of(figure).box.width == pytest.approx(cells_of(figure).box.height)


@pytest.mark.parametrize("num_classes", [2, 20, 61])
def test_perfect_network_has_an_empty_list(num_classes, fits):
    class_names = [str(index) for index in range(num_classes)]
    figure = plot_confusion_matrix(np.eye(num_classes, dtype=int), class_names, "t", normalize=True)
    assert fits(figure)
    assert not any("→" in text for text in texts(figure))


@pytest.mark.parametrize("num_classes", [2, 100])
def test_zero_images_can_be_drawn(num_classes):
    counts = np.zeros((num_classes, num_classes), dtype=int)
    plot_confusion_matrix(counts, [str(k) for k in range(num_classes)], "t", normalize=False)


def test_many_classes_are_drawn_in_groups():
    counts, class_names = confused(100)
    figure = plot_confusion_matrix(counts, class_names, "t", normalize=False)
    overview, _ = figure.findobj(Picture)
    outlines = [a for a in figure.findobj(Rectangle) if a.get_edgecolor() == to_rgba(BAD)]
    assert len(outlines) == 10
    shown = (overview.pixels != overview.pixels.max(axis=(0, 1))).any(axis=2)
    assert shown.shape == (100, 100)
    inside = np.zeros_like(shown)
    for outline in outlines:
        x0, x1 = outline.get_window_extent().intervalx - overview.box.x0
        start, end = (round(100 * x / overview.box.width) for x in (x0, x1))
        inside[start:end, start:end] = True
    assert shown.sum() == (counts > 0).sum()
    assert not (shown & ~inside).any()


def test_most_confused_of_many_classes_are_drawn_with_names_and_numbers():
    counts, class_names = np.diag(np.full(100, 9)), [f"class {index}" for index in range(100)]
    counts[3, 77] = 5
    figure = plot_confusion_matrix(counts, class_names, "t", normalize=False)
    beside, _ = names(figure)
    assert sorted(label.get_text() for label in beside) == ["class 3", "class 77"]
    assert sorted(numbers(figure)) == ["", "5", "9", "9"]


def test_every_confusion_of_a_thousand_classes_is_visible():
    values = np.zeros((1000, 1000))
    values[3, 901] = 1
    cells = reduced(values, range(1000))
    assert cells.shape == (500, 500)
    assert np.argwhere(cells).tolist() == [[1, 450]]


def test_many_classes_need_few_texts():
    """Texts take most of the time: with one per cell, 200 classes take two minutes."""
    counts, class_names = confused(200)
    figure = plot_confusion_matrix(counts, class_names, "t", normalize=True)
    assert len(figure.findobj(Text)) < 1000
