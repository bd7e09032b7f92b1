import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots.calibration import Reliability, plot_calibration

NAN = float("nan")


def series(label, num_images=(0, 2, 10), confidence=(NAN, 0.5, 0.9), accuracy=(NAN, 1.0, 0.6)):
    spread = 0.1 * np.array(confidence)
    arrays = (np.array(values) for values in (num_images, confidence, accuracy, spread))
    return Reliability(label, *arrays, np.repeat([0.5, 0.9], [2, 10]))


@pytest.fixture
def figure():
    risk = np.array([0, 0, 1 / 3, 1 / 4])
    return plot_calibration(series("before"), series("after"), risk, 0.02, "epoch 4")


def test_line_connects_bins_with_enough_images(figure):
    _, line, few, *_ = figure.axes[0].lines
    assert line.get_xydata().tolist() == [[90, 60]]
    assert few.get_xydata()[-1].tolist() == [50, 100]


def test_legend_has_the_calibration_errors(figure):
    labels = [text.get_text() for text in figure.axes[0].get_legend().texts]
    assert labels == [
        "95 % range of a calibrated network: ECE 2.0 %",
        "before",
        "after",
        "hollow: bins of fewer than 5 images",
    ]


def test_range_is_centred_on_the_diagonal(figure):
    [bar] = figure.axes[0].collections[0].get_segments()
    np.testing.assert_allclose(bar, [[90, 72], [90, 100]])  # two deviations, but at most 100 %


def test_histogram_counts_the_images(figure):
    counts = figure.axes[1].patches[0].get_data().values
    assert counts.sum() == 12
    assert counts.max() == 10


def test_risk_against_coverage_has_random_and_ideal_order_beside_it(figure):
    axes = figure.axes[2]
    none, ours, best = axes.lines
    np.testing.assert_allclose(none.get_ydata(), 25)
    np.testing.assert_allclose(ours.get_xydata(), [[25, 0], [50, 0], [75, 100 / 3], [100, 25]])
    np.testing.assert_allclose(best.get_ydata(), [0, 0, 0, 25])
    assert [text.get_text() for text in axes.get_legend().texts] == [
        "in random order: 25.0 % mistakes",
        "by confidence: 25.0 % at 90 % coverage, AURC 0.1458",
        "ideal order: all mistakes last",
    ]


def test_nothing_is_cut_off(figure):
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()


def test_scaling_that_could_not_be_fitted_is_not_drawn():
    figure = plot_calibration(series("before"), None, np.array([0.0, 0.5]), 0.02, "epoch 4")
    labels = [text.get_text() for text in figure.axes[0].get_legend().texts]
    assert labels[-1] == "no temperature fitted: too few images or mistakes"
    assert len(figure.axes[1].patches) == 1


def test_network_without_mistakes_is_drawn():
    correct = series("before", accuracy=(NAN, 1.0, 1.0))
    plot_calibration(correct, correct, np.zeros(12), 0.0, "test")
