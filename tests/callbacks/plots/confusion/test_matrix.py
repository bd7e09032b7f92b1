import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text

from callbacks.plots import plot_confusion_matrix
from callbacks.plots.confusion.panels import Colors, draw_overview

NAMES = ["cat", "dog", "owl"]
COUNTS = np.array([[8, 2, 0], [0, 5, 5], [0, 0, 0]])


def texts(axes):
    return [text.get_text() for text in axes.texts]


def cells_of(figure):
    """The axes with class names."""
    [axes] = [axes for axes in figure.axes if axes.get_ylabel() == "true" and axes.collections]
    return axes


def confused(num_classes, group_size=10):
    """Classes that are confused within groups, which are spread over the matrix."""
    rng = np.random.default_rng(0)
    group = rng.permutation(num_classes) // group_size
    counts = rng.poisson(1.5 * (group[:, None] == group))
    np.fill_diagonal(counts, 40)
    return counts, [f"a class that is called {index}" for index in range(num_classes)]


def test_percent_of_each_true_class():
    axes = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=True).axes[0]
    assert texts(axes) == ["80", "20", "", "", "50", "50", "", "", ""]
    shown = np.asarray(axes.collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(shown, [[80, 20, 0], [0, 50, 50], [0, 0, 0]])


def test_counts():
    axes = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=False).axes[0]
    assert texts(axes) == ["8", "2", "", "", "5", "5", "", "", ""]


def test_rows_are_true_classes_and_columns_predictions():
    axes = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize=False).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES


@pytest.mark.parametrize("normalize", [True, False])
def test_most_frequent_confusions_are_listed(normalize):
    figure = plot_confusion_matrix(COUNTS, NAMES, "validation", normalize)
    assert texts(figure.axes[1]) == [
        "dog → owl",
        "5 images, 50% of the class",
        "cat → dog",
        "2 images, 20% of the class",
    ]
    first, second = (bar.get_width() for bar in figure.axes[1].patches)
    assert first / second == pytest.approx(5 / 2)


def test_scale_of_counts_has_whole_numbers():
    figure = plot_confusion_matrix(np.eye(3, dtype=int), NAMES, "t", normalize=False)
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    ticks = figure.axes[-1].get_yticks()
    assert all(tick == round(tick) for tick in ticks if 0 <= tick <= 1)


@pytest.mark.parametrize("num_classes", [2, 20, 50, 100, 300])
def test_can_be_read_at_any_number_of_classes(num_classes, fits):
    counts, names = confused(num_classes)
    figure = plot_confusion_matrix(counts, names, "t", normalize=True)
    assert fits(figure)
    axes = cells_of(figure)
    assert len(axes.get_yticklabels()) in ((num_classes,) if num_classes <= 60 else (19, 20))
    for labels, side in ((axes.get_yticklabels(), "height"), (axes.get_xticklabels(), "width")):
        assert all(label.get_fontsize() >= 6 for label in labels)
        pitch = getattr(axes.get_window_extent(), side) / len(labels)
        assert getattr(labels[0].get_window_extent(), side) <= pitch + 1  # names do not overlap


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    "names",
    [
        ["buildings", "forest", "glacier", "mountain", "sea", "street"],
        ["阿布拉罕辛普森爷爷春田镇的居民们", "狗", "猫"],
        ["W" * 30] * 10,
        [f"阿布拉罕辛普森爷爷春田镇的居民们 {index}" for index in range(70)],
    ],
)
def test_no_name_and_no_label_is_cut_off(names, normalize, fits):
    counts = 9 * np.eye(len(names), dtype=int) + 1
    figure = plot_confusion_matrix(counts, names, "t", normalize)
    assert fits(figure)
    width, height = cells_of(figure).get_window_extent().size
    assert 0.75 < width / height < 1.1


@pytest.mark.parametrize("num_classes", [2, 20, 61])
def test_perfect_network_has_an_empty_list(num_classes, fits):
    names = [str(index) for index in range(num_classes)]
    figure = plot_confusion_matrix(np.eye(num_classes, dtype=int), names, "t", normalize=True)
    assert fits(figure)
    assert not any("→" in text for axes in figure.axes for text in texts(axes))


@pytest.mark.parametrize("num_classes", [2, 100])
def test_zero_images_can_be_drawn(num_classes):
    counts = np.zeros((num_classes, num_classes), dtype=int)
    plot_confusion_matrix(counts, [str(k) for k in range(num_classes)], "t", normalize=False)


def test_many_classes_are_drawn_in_groups():
    counts, names = confused(100)
    overview = plot_confusion_matrix(counts, names, "t", normalize=False).axes[0]
    outlines = [(patch.get_x(), patch.get_width()) for patch in overview.patches]
    assert len(outlines) == 10
    shown = np.asarray(overview.images[0].get_array())
    inside = sum(
        shown[start : start + side, start : start + side].sum()
        for start, side in (map(int, outline) for outline in outlines)
    )
    assert inside == shown.sum()


def test_most_confused_of_many_classes_are_drawn_with_names_and_numbers():
    counts, names = np.diag(np.full(100, 9)), [f"class {index}" for index in range(100)]
    counts[3, 77] = 5
    figure = plot_confusion_matrix(counts, names, "t", normalize=False)
    cells = cells_of(figure)
    assert sorted(label.get_text() for label in cells.get_yticklabels()) == ["class 3", "class 77"]
    assert sorted(texts(cells)) == ["", "5", "9", "9"]


def test_every_confusion_of_a_thousand_classes_is_visible():
    values = np.zeros((1000, 1000))
    values[3, 901] = 1
    axes = Figure().subplots()
    draw_overview(axes, values, range(1000), ["a"] * 1000, Colors("Blues", Normalize()), [])
    shown = np.asarray(axes.images[0].get_array())
    assert shown.shape == (500, 500)
    assert np.argwhere(shown).tolist() == [[1, 450]]
    assert axes.images[0].get_extent() == [0, 1000, 1000, 0]


def test_many_classes_need_few_texts():
    """Texts take most of the time: with one per cell, 200 classes take two minutes."""
    counts, names = confused(200)
    figure = plot_confusion_matrix(counts, names, "t", normalize=True)
    assert len(figure.findobj(Text)) < 1000
