import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from callbacks.plots import plot_confusion_numbers
from callbacks.plots.confusion.cells import Numbers


def network(num_classes):
    """Counts of a network that confuses many classes, never the first, and one class is empty."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.4, (num_classes, num_classes))
    np.fill_diagonal(counts, rng.integers(100, 400, num_classes))
    counts[0, 1:] = 0
    counts[1] = 0
    return counts, [f"a class that is called {index}" for index in range(num_classes)]


def test_numbers_of_50_classes_are_those_of_the_matrix():
    counts, names = network(50)
    figure = plot_confusion_numbers(counts, names, "t")
    [found] = figure.findobj(Numbers)
    numbers = [float(text or 0) for text in found.texts.flat]
    expected = 100 * counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    np.testing.assert_allclose(np.reshape(numbers, (50, 50)), expected, atol=0.0501)
    assert sum(number > 0 for number in numbers) == (counts > 0).sum() > 500
    assert numbers[0] == 100
    labels = [text.get_text() for text in figure.texts if text.get_ha() == "right"]
    assert len(labels) == 50
    assert labels[7].endswith("7")


def test_every_number_fits_into_its_cell(fits):
    counts, names = network(26)
    figure = plot_confusion_numbers(counts, names, "t")
    assert fits(figure)
    [found] = figure.findobj(Numbers)
    width, height = found.box.size / 26
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert "100.0" in found.texts
    measured = renderer.get_text_width_height_descent("100.0", found.font, False)
    assert measured[0] < 0.9 * width
    assert measured[1] < 0.9 * height


def test_without_images_there_are_no_numbers():
    figure = plot_confusion_numbers(np.zeros((2, 2), int), ["cat", "dog"], "t")
    assert set(figure.findobj(Numbers)[0].texts.flat) == {""}
