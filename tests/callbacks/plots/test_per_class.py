import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots import plot_class_scores

NAMES = ["cat", "dog", "owl"]
SCORES = {
    "precision": np.array([0.9, 0.5, np.nan]),
    "recall": np.array([0.8, 0.4, np.nan]),
    "f1": np.array([0.85, 0.45, np.nan]),
    "low": np.array([0.8, 0.2, np.nan]),
    "high": np.array([0.95, 0.6, np.nan]),
    "support": np.array([1200, 30, 0]),
}


def many(num_classes):
    f1 = np.random.default_rng(0).random(num_classes)
    ends = {"low": f1 * 0.9, "high": np.minimum(1, f1 * 1.1)}
    scores = dict.fromkeys(("precision", "recall", "f1"), f1) | ends
    return scores | {"support": np.arange(num_classes) * 9}


def test_lowest_f1_comes_first_and_classes_that_never_occur_are_omitted():
    bars, images = plot_class_scores(SCORES, NAMES, "t").axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["dog", "cat"]
    assert [bar.get_width() for bar in bars.patches] == [0.45, 0.85]
    assert [bar.get_width() for bar in images.patches] == [30, 1200]
    assert [text.get_text() for text in images.texts] == ["30", "1,200"]
    assert bars.get_ylim()[0] > bars.get_ylim()[1]  # downwards


def test_error_bars_are_the_interval_of_f1():
    bars, _ = plot_class_scores(SCORES, NAMES, "t").axes
    [segments, *_] = [c for c in bars.collections if hasattr(c, "get_segments")]
    ends = [sorted(segment[:, 0]) for segment in segments.get_segments()]
    np.testing.assert_allclose(ends, [[0.2, 0.6], [0.8, 0.95]])


def test_marks_are_precision_and_recall():
    bars, _ = plot_class_scores(SCORES, NAMES, "t").axes
    marks = {c.get_label(): c.get_offsets()[:, 0].tolist() for c in bars.collections[-2:]}
    assert marks == {"precision": [0.5, 0.9], "recall": [0.4, 0.8]}


def test_precision_is_visible_even_if_recall_is_equal():
    bars, _ = plot_class_scores(SCORES, NAMES, "t").axes
    precision, recall = bars.collections[-2:]
    assert len(recall.get_facecolor()) == 0  # hollow
    assert recall.get_sizes()[0] > precision.get_sizes()[0]


def test_lowest_scores_of_many_classes_are_named():
    scores = many(1000)
    everything, bars, _ = plot_class_scores(scores, [str(k) for k in range(1000)], "t").axes
    names = [int(label.get_text()) for label in bars.get_yticklabels()]
    assert names == np.argsort(scores["f1"])[:40].tolist()
    np.testing.assert_allclose(everything.lines[0].get_xdata(), np.sort(scores["f1"]))


@pytest.mark.parametrize("num_classes", [2, 20, 40, 100])
def test_nothing_is_cut_off(num_classes):
    names = [f"a class that is called {index}" for index in range(num_classes)]
    figure = plot_class_scores(many(num_classes), names, "epoch 4: 1,000 images\naccuracy 90%")
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    drawn, page = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.01
    assert (drawn.max <= page + 0.01).all()
    assert 0.6 < page[0] / page[1] < 2.6
