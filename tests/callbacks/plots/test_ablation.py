"""Figures of an ablation, for any names of variations and classes."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots.ablation import plot_ablation, plot_class_recalls, plot_destinations

LONG = "WMAWHW of the schedule " * 5


def named(number, letters):
    """Different names of a length."""
    return [f"{k} {LONG}"[:letters] for k in range(number)]


def extents(texts):
    return [text.get_window_extent() for text in texts]


def overlap(texts):
    first, second = extents(texts)
    return first.overlaps(second)


def draw_ablation(names, difference=(-0.1, -0.2, 0.0), title="title"):
    differences = np.array([[np.nan] * 3] + [list(difference)] * (len(names) - 1))
    scores = [[0.8, 0.9]] + [[0.75]] * (len(names) - 1)
    return plot_ablation(names, scores, [0.85] * len(names), differences, title)


def test_ablation_has_one_dot_per_seed_and_one_interval_per_variation():
    differences = np.array([[np.nan] * 3, [-0.1, -0.2, 0.0]])
    figure = plot_ablation(
        ["base", "other"], [[0.8, 0.9], [0.75]], [0.85, 0.8], differences, "title"
    )
    accuracy, difference = figure.axes
    dots = [c.get_offsets().tolist() for c in accuracy.collections]
    assert dots[0] == [[80, 0], [90, 0]]
    assert dots[1] == [[85, 0]]
    assert dots[2] == [[75, 1]]
    [lines] = [c.get_segments() for c in accuracy.collections if hasattr(c, "get_segments")]
    assert [line[:, 0].tolist() for line in lines] == [[85, 85], [80, 80]]
    [interval] = difference.containers
    assert interval[0].get_xdata().tolist() == [-10]


@pytest.mark.parametrize("letters", [8, 24, 100])
def test_labels_of_both_axes_are_complete_and_do_not_overlap(fits, letters):
    figure = draw_ablation(["base", *named(3, letters)])
    assert fits(figure)
    assert not overlap([axes.xaxis.label for axes in figure.axes])


@pytest.mark.parametrize("title", [LONG, "ablation_of_the_flowers_" * 8])
def test_long_title_has_several_lines_or_is_shortened(fits, title):
    assert fits(draw_ablation(["base", "other"], title=title))


@pytest.mark.parametrize(
    ("difference", "text"),
    [(-0.0004, "0.0"), (0.0004, "0.0"), (0.0, "0.0"), (-0.0006, "-0.1"), (0.02, "+2.0")],
)
def test_zero_difference_has_no_sign(difference, text):
    figure = draw_ablation(["base", "other"], (difference, difference - 0.01, difference + 0.01))
    assert [annotation.get_text() for annotation in figure.axes[1].texts] == [text]


def test_classes_without_images_have_no_row():
    recalls = np.array([[0.5, np.nan, 1.0], [0.25, np.nan, 1.0]])
    figure = plot_class_recalls(recalls, ["base", "other"], ["a", "b", "c"], "title")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "c"]
    assert figure.axes[0].get_ylabel() == ""


def test_number_of_images_is_beside_the_class_name(fits):
    recalls = np.array([[0.5, np.nan, 1.0], [0.25, np.nan, 1.0]])
    figure = plot_class_recalls(
        recalls, ["base", "other"], ["forest", "lake", "river"], "title", counts=[15, 0, 1200]
    )
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["forest (15)", "river (1,200)"]
    assert figure.axes[0].get_ylabel() == "class (images)"
    assert fits(figure)
    assert fits(plot_class_recalls(np.ones((2, 1)), ["base", "other"], ["a"], "t", counts=[15]))


def test_only_classes_that_change_most_are_shown_if_there_are_many():
    recalls = np.full((2, 100), 0.5)
    recalls[1, 60:] = 0.9
    names = [f"class {k}" for k in range(100)]
    figure = plot_class_recalls(recalls, ["base", "other"], names, "title")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == names[60:]


def test_line_of_the_base_is_not_clipped_at_the_ends():
    recalls = np.array([[0.0, 0.5, 1.0]] * 2)
    recalls[1] = 0.25
    figure = plot_class_recalls(recalls, ["base", "other"], ["a", "b", "c"], "title")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image, axes = np.asarray(canvas.buffer_rgba())[..., :3].sum(axis=2), figure.axes[0]
    widths = []
    for place, value in enumerate((0, 50, 100)):
        x, y = axes.transData.transform((value, place - 0.38))
        row = image[round(len(image) - y), round(x) - 6 : round(x) + 7]
        widths.append((row < 200).sum())
    assert max(widths) - min(widths) <= 1  # 2 points are 3.6 pixels
    assert min(widths) >= 3


@pytest.mark.parametrize(
    ("letters", "columns"), [(8, 3), (29, 3), (100, 2)], ids=["short", "long", "shortened"]
)
def test_legend_has_as_many_columns_as_fit(fits, letters, columns):
    names = [f"base of {LONG}"[:letters], *named(5, letters)]
    figure = plot_class_recalls(np.full((6, 2), 0.5), names, ["a", LONG], "title")
    assert fits(figure)
    [legend] = figure.legends
    assert len({box.x0 for box in extents(legend.texts)}) == columns
    assert len(legend.texts) == 6


def test_bars_of_predicted_classes_sum_to_100_percent():
    figure = plot_destinations({"a": np.array([0.25, 0, 0.75])}, ["a", "b", "c"], "title")
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 25), (25, 75)]


@pytest.mark.parametrize(("letters", "columns"), [(3, 4), (23, 3), (100, 3)])
def test_names_leave_room_for_the_bars(fits, letters, columns):
    names = named(8, letters)
    shares = {f"{name}\n{LONG[:letters]}": np.full(8, 0.125) for name in names[:3]}
    figure = plot_destinations(shares, names, "title")
    assert fits(figure)
    [axes], [legend] = figure.axes, figure.legends
    assert axes.get_window_extent().width > 0.6 * figure.bbox.width
    assert len({round(box.x0) for box in extents(legend.texts)}) == columns
    assert not overlap([axes.xaxis.label, legend])


def test_rare_predicted_classes_are_merged(fits):
    shares = np.r_[np.full(5, 0.002), np.full(19, 0.05), np.full(20, 0.002)]
    names = [f"class {k}" for k in range(44)]
    figure = plot_destinations({"class 50": shares}, names, "title")
    assert fits(figure)
    bars, [legend] = figure.axes[0].patches, figure.legends
    assert [bar.get_width() for bar in bars] == pytest.approx([5] * 20)
    assert [t.get_text() for t in legend.texts] == [*names[5:24], "25 other classes"]
    assert figure.axes[0].get_window_extent().y0 > legend.get_window_extent().y1


def test_names_that_start_with_an_underscore_are_in_the_legend():
    figure = plot_destinations({"a": np.array([0.5, 0.5])}, ["_background", "b"], "title")
    assert [text.get_text() for text in figure.legends[0].texts] == ["_background", "b"]
