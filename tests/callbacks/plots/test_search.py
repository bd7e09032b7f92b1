"""A panel a setting, the most important first."""

import numpy as np

from callbacks.plots.search import plot_search


def test_settings_have_axes_that_suit_them():
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
