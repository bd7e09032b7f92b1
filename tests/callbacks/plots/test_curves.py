import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba

from callbacks.plots.curves import plot_curves
from callbacks.plots.drawing.style import GOOD


def history(num_epochs=3, stages=("block1", "head"), decay=1.0, stage="val"):
    epochs = range(num_epochs)
    curves = {
        f"{stage}/loss": [(epoch, 2.0 - epoch / num_epochs) for epoch in epochs],
        f"{stage}/accuracy": [(epoch, epoch / num_epochs) for epoch in epochs],
    }
    rates = {
        f"lr/{name}": [(epoch, 0.1 * decay**place * 0.5**epoch) for epoch in epochs]
        for place, name in enumerate(stages)
    }
    return curves | rates


def legend(axes):
    return [text.get_text() for text in axes.get_legend().texts]


def drawn_within(figure):
    FigureCanvasAgg(figure).figure.draw_without_rendering()
    box, page = figure.get_tightbbox(), figure.get_size_inches()
    return min(box.x0, box.y0) > -0.01 and (box.max <= page + 0.01).all()


def stars(axes):
    return [c.get_offsets().tolist() for c in axes.collections if len(c.get_offsets()) == 1]


def test_stages_with_equal_rates_share_a_line():
    rates = plot_curves(history()).axes[2]
    assert legend(rates) == ["all stages"]
    np.testing.assert_allclose(rates.lines[0].get_ydata(), [0.1, 0.05, 0.025])
    assert rates.get_yscale() == "log"


def test_stages_with_different_rates_have_their_own_lines():
    curves = history(stages=("block1", "block2", "block3", "head"))
    curves["lr/head"] = [(epoch, 10 * rate) for epoch, rate in curves["lr/head"]]
    rates = plot_curves(curves).axes[2]
    assert legend(rates) == ["block1 … block3", "head"]
    np.testing.assert_allclose(rates.lines[1].get_ydata(), [1, 0.5, 0.25])


def test_some_of_many_stages_are_named_including_the_last():
    stages = [*(f"blocks.{index}" for index in range(24)), "head"]
    rates = plot_curves(history(stages=stages, decay=0.9)).axes[2]
    assert len(rates.lines) == 25
    assert len(legend(rates)) <= 9
    assert legend(rates)[-1] == "head"


def test_a_rate_of_zero_is_not_drawn():
    curves = history()
    curves["lr/head"] = curves["lr/block1"] = [(0, 0.1), (1, 0.0)]
    values = plot_curves(curves).axes[2].lines[0].get_ydata()
    np.testing.assert_allclose(values, [0.1, np.nan])


def test_stages_that_never_train_have_no_line():
    curves = history()
    curves["lr/block1"] = [(epoch, 0.0) for epoch in range(3)]
    rates = plot_curves(curves).axes[2]
    assert len(rates.lines) == 1
    assert legend(rates) == ["head"]


def test_ten_stages_all_have_a_name():
    stages = [f"blocks.{index}" for index in range(10)]
    assert legend(plot_curves(history(stages=stages, decay=0.9)).axes[2]) == stages


def test_best_epoch_has_a_star_on_accuracy_and_loss():
    curves = history()
    curves["val/accuracy"] = [(0, 0.5), (1, 0.75), (2, 0.75)]  # the first of two
    loss, accuracy, _ = plot_curves(curves).axes
    assert accuracy.get_title() == "Accuracy: best 0.7500, epoch 1"
    assert stars(accuracy) == [[[1, 0.75]]]
    assert stars(loss) == [[[1, pytest.approx(5 / 3)]]]


def test_run_without_validation_has_no_best_epoch():
    loss, accuracy, _ = plot_curves(history(stage="train")).axes
    assert accuracy.get_title() == "Accuracy"
    assert legend(loss) == ["training"]
    assert not stars(accuracy)


def test_unfreezing_is_marked_before_its_epoch_and_labelled():
    freed = [(0, "head: 10"), (2, "block1: 900")]
    figure = plot_curves(history(4), freed)
    for axes in figure.axes:
        [lines] = [c.get_segments() for c in axes.collections if len(c.get_paths()) == 2]
        assert [line[0][0] for line in lines] == [-0.5, 1.5]
    [above] = figure.axes[2].child_axes
    assert [label.get_text() for label in above.get_xticklabels()] == ["head: 10", "block1: 900"]
    assert above.get_xticks().tolist() == [-0.5, 1.5]


def test_labels_that_would_overlap_are_omitted():
    freed = [(0, "head"), (1, "a"), (2, "b"), (100, "c")]
    figure = plot_curves(history(200), freed)
    labels = [label.get_text() for label in figure.axes[2].child_axes[0].get_xticklabels()]
    assert labels == ["head", "c"]


def test_macro_f1_is_drawn_beside_the_accuracy():
    curves = history() | {"val/f1_macro": [(0, 0.1), (1, 0.2)]}
    accuracy = plot_curves(curves).axes[1]
    assert legend(accuracy) == ["validation", "macro F1"]
    assert to_rgba(accuracy.lines[1].get_color()) == to_rgba(GOOD)
    assert accuracy.lines[1].get_ydata().tolist() == [0.1, 0.2]


def test_without_rates_there_are_two_curves():
    curves = {name: points for name, points in history().items() if "lr/" not in name}
    assert len(plot_curves(curves).axes) == 2


@pytest.mark.parametrize("num_epochs", [1, 200])
def test_any_number_of_epochs_is_legible(num_epochs):
    names = ["layer3.27.bn1.weight: 26,908,723", "all: 60,295,283"]
    freed = list(zip([0, num_epochs - 1], names, strict=True))[: min(num_epochs, 2)]
    figure = plot_curves(history(num_epochs), freed)
    assert drawn_within(figure)
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)
        has_dots = axes.lines[0].get_marker() == "o"
        assert has_dots == (num_epochs == 1)
