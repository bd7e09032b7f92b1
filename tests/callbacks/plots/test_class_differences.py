import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from callbacks.plots import BAD, GOOD, plot_class_differences
from callbacks.plots.class_differences import UNSURE

NAMES = ["cat", "dog", "owl"]
DIFFERENCES = {
    "difference": np.array([-0.2, 0.3, 0.05]),
    "low": np.array([-0.3, 0.1, -0.1]),
    "high": np.array([-0.1, 0.5, 0.2]),
    "support": np.array([1200, 30, 7]),
}


def many(num_classes):
    difference = np.random.default_rng(0).uniform(-0.5, 0.5, num_classes)
    ends = {"low": difference - 0.1, "high": difference + 0.2}
    return {"difference": difference, **ends, "support": np.arange(num_classes) * 9 + 1}


def marks_of(axes):
    """Position and interval of each class, by colour."""
    found = {}
    for container in axes.containers:
        [line, _, [bars]] = container.lines
        ends = [sorted(segment[:, 0]) for segment in bars.get_segments()]
        found[to_rgb(line.get_color())] = (list(line.get_ydata()), ends)
    return found


def test_classes_are_sorted_by_their_gain_in_percentage_points():
    marks, images = plot_class_differences(DIFFERENCES, NAMES, "t").axes
    assert [label.get_text() for label in marks.get_yticklabels()] == ["dog", "owl", "cat"]
    assert [bar.get_width() for bar in images.patches] == [30, 7, 1200]
    assert marks.get_ylim()[0] > marks.get_ylim()[1]  # downwards
    assert marks.get_xlim()[0] == -marks.get_xlim()[1]


def test_colour_shows_whether_the_interval_includes_zero():
    marks, _ = plot_class_differences(DIFFERENCES, NAMES, "t").axes
    found = marks_of(marks)
    expected = {GOOD: (0, [10, 50]), UNSURE: (1, [-10, 20]), BAD: (2, [-30, -10])}
    for color, (place, ends) in expected.items():
        places, intervals = found[to_rgb(color)]
        assert places == [place]
        np.testing.assert_allclose(intervals, [ends])


def test_largest_gains_and_losses_of_many_classes_are_named():
    points = many(1000)
    everything, marks, _ = plot_class_differences(points, [str(k) for k in range(1000)], "t").axes
    names = [int(label.get_text()) for label in marks.get_yticklabels()]
    order = np.argsort(-points["difference"])
    assert names == [*order[:20], *order[-20:]]
    curve = everything.lines[0].get_xdata()
    np.testing.assert_allclose(curve, 100 * np.sort(points["difference"])[::-1])


@pytest.mark.parametrize("num_classes", [2, 20, 40, 100])
def test_nothing_is_cut_off(num_classes):
    names = [f"a class that is called {index}" for index in range(num_classes)]
    figure = plot_class_differences(many(num_classes), names, "from one to another\n1,000 images")
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert 0.6 < page[0] / page[1] < 3.4
