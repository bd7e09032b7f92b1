import math

import numpy as np
import pytest

from callbacks.plots.training_courses import plot_training_courses


def runs(*curves, seeds=1):
    return {f"variation {k}": [list(enumerate(c))] * seeds for k, c in enumerate(curves)}


def draw(accuracies, losses, goal=math.nan, title="title"):
    return plot_training_courses(accuracies, losses, losses, goal, title)


def test_each_seed_has_a_line_in_the_colour_of_its_variation():
    figure = draw(runs([0.1, 0.2], [0.3, 0.4], seeds=2), runs([2, 1], [2, 3], seeds=2))
    for axes in figure.axes:
        colors = [line.get_color() for line in axes.lines]
        assert colors == ["black"] * 2 + ["#0072B2"] * 2
    assert figure.axes[2].lines[2].get_ydata().tolist() == [2, 3]


@pytest.mark.parametrize(("highest", "scale"), [(9, "linear"), (11, "log")])
def test_loss_that_jumps_has_a_logarithmic_axis(highest, scale):
    accuracy, *losses = draw(runs([0.1, 0.2, 0.9]), runs([2, 1, highest])).axes
    assert [axes.get_yscale() for axes in losses] == [scale] * 2
    assert accuracy.get_yscale() == "linear"


def test_loss_of_zero_stays_on_a_linear_axis():
    assert draw(runs([0.5]), runs([30, 0])).axes[1].get_yscale() == "linear"


def test_no_two_of_many_variations_look_the_same():
    figure = draw(runs(*[[0.1, 0.2]] * 20), runs(*[[2, 1]] * 20))
    looks = [(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines]
    assert len(set(looks)) == 20


def test_curves_that_a_run_does_not_have_are_left_out():
    accuracies, losses = {"base": [[], [(0, 0.5)]]}, {"base": [[], []]}
    figure = plot_training_courses(accuracies, losses, losses, 0.4, "title")
    assert [len(axes.lines) for axes in figure.axes] == [3, 0, 0]  # the run, its dot and the goal


@pytest.mark.parametrize("letters", [8, 100])
def test_names_and_title_of_any_length_fit(fits, letters):
    rng = np.random.default_rng(0)
    names = [f"{k} WMAWHW of the schedule {'x' * letters}"[:letters] for k in range(9)]
    curves = {name: [list(enumerate(rng.random(30)))] for name in names}
    assert fits(draw(curves, curves, 0.5, "ablation of the scenes " * 8))
