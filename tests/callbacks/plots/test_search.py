"""A panel a setting, the most important first."""

from itertools import pairwise

import numpy as np
import pytest

from callbacks.plots.search import plot_search


def test_axes_suit_the_values_of_the_settings():
    figure = plot_search(
        np.array([0.9, 0.8, 0.7]),
        {"augmentation": ["none", "light", "none"], "lr": [1e-4, 1e-2, 1e-1], "width": [4, 8, 16]},
        {"lr": 0.7, "augmentation": 0.2, "width": 0.1},
        np.array([False, True, False]),
        "val/accuracy",
        "title",
    )
    lr, augmentation, width = figure.axes
    assert [axes.get_title().split("\n")[0] for axes in (lr, augmentation, width)] == [
        *("lr", "augmentation", "width")
    ]
    assert (lr.get_xscale(), width.get_xscale()) == ("log", "linear")
    assert [label.get_text() for label in augmentation.get_xticklabels()] == ["light", "none"]
    whole, stopped, best = augmentation.collections
    assert whole.get_offsets().tolist() == [[1, 0.9], [1, 0.7]]
    assert stopped.get_offsets().tolist() == [[0, 0.8]]
    assert best.get_offsets().tolist() == [[1, 0.9]]


def draw(settings, **options):
    number = len(next(iter(settings.values())))
    values = np.linspace(0.9, 0.7, number)
    stopped = np.zeros(number, bool)
    return plot_search(values, settings, {}, stopped, "val/accuracy", "title", **options)


def ticks(axes):
    """Labels that are in sight, after drawing."""
    low, high = axes.get_xlim()
    labels = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
    assert not any(label.get_text() for label in axes.get_xticklabels(minor=True))
    boxes = [label.get_window_extent() for label in labels]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
    return [label.get_text() for label in labels]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1e-3, 4e-3, 1e-2], ["0.001", "0.002", "0.005", "0.01"]),
        ([2.5e-3, 3e-3, 4.5e-3], ["0.003", "0.004"]),
        ([1e-5, 5e-4, 2e-3], ["1e-05", "3e-05", "0.0001", "0.0003", "0.001"]),
        ([16, 32, 64], ["20", "40", "60"]),
        ([3, 3, 4], ["3", "4"]),
    ],
)
def test_axis_of_a_logarithmic_range_is_logarithmic_even_for_close_values(fits, values, expected):
    other = {"other": [0.1, 0.2, 0.3], "third": [1, 2, 3], "fourth": [1, 2, 3]}
    figure = draw({"lr": values, **other}, log=["lr"])
    assert fits(figure)
    lr, other, *_ = figure.axes
    assert (lr.get_xscale(), other.get_xscale()) == ("log", "linear")
    assert ticks(lr) == expected


def test_axis_of_equal_values_is_linear(fits):
    figure = draw({"lr": [0.01, 0.01]}, log=["lr"])
    assert fits(figure)
    assert figure.axes[0].get_xscale() == "linear"


@pytest.mark.parametrize("log", [(), ("width",)])
@pytest.mark.parametrize("values", [[7, 8, 9], [3, 3, 3], [1, 2, 2], [1, 7, 30], [-1, 0, 1]])
def test_integers_have_integer_ticks(fits, values, log):
    figure = draw({"width": values}, log=log if min(values) > 0 else ())
    assert fits(figure)
    shown = ticks(figure.axes[0])
    assert shown
    assert all(float(text.replace("\N{MINUS SIGN}", "-")).is_integer() for text in shown)


def test_booleans_are_choices():
    figure = draw({"pretrained": [True, False, True]})
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["False", "True"]


def test_long_names_of_settings_and_choices_do_not_overlap(fits):
    choices = [f"{k} is a policy of augmentation" for k in range(4)]
    names = [f"data.options.{k}.the_name_of_a_setting_that_is_long" for k in range(4)]
    figure = draw(dict.fromkeys(names, choices))
    assert fits(figure)
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(one.x1 < other.x0 for one, other in pairwise(titles))
    angles = {label.get_rotation() for label in figure.axes[0].get_xticklabels()}
    assert angles == {25}
