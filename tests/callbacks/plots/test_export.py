import numpy as np

from callbacks.plots.export import plot_export

COLUMNS = {
    "format": ["checkpoint (PyTorch)", "ONNX"],
    "megabytes": [4.0, 2.0],
    "ms_1": [10.0, 5.0],
    "ms_1_95": [14.0, 5.5],
    "images_per_second": [150.0, 1234.0],
    "accuracy": [0.9, 0.8],
}


def test_bars_are_as_long_as_the_numbers_and_lines_reach_the_slowest_calls():
    figure = plot_export(COLUMNS, 100, "title")
    sizes, latency, speed, accuracy = figure.axes
    for axes, key in ((sizes, "megabytes"), (latency, "ms_1"), (speed, "images_per_second")):
        assert [bar.get_width() for bar in axes.patches] == COLUMNS[key]
    [line] = latency.collections
    np.testing.assert_allclose([part[:, 0] for part in line.get_segments()], [[10, 14], [5, 5.5]])
    assert [text.get_text() for text in speed.texts] == ["150", "1,234"]
    [interval] = accuracy.collections
    low, high = interval.get_segments()[1][:, 0]
    assert low < 80 < high


def test_without_images_there_is_no_panel_of_accuracy():
    assert len(plot_export({**COLUMNS, "accuracy": [None, None]}, 0, "title").axes) == 3
