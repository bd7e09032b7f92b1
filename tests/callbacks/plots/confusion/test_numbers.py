import numpy as np

from callbacks.plots import plot_confusion_numbers


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
    axes = plot_confusion_numbers(counts, names, "t").axes[0]
    numbers = [float(text.get_text() or 0) for text in axes.texts]
    expected = 100 * counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    np.testing.assert_allclose(np.reshape(numbers, (50, 50)), expected, atol=0.0501)
    assert sum(number > 0 for number in numbers) == (counts > 0).sum() > 500
    assert numbers[0] == 100
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == 50
    assert labels[7].endswith("7")


def test_every_number_fits_into_its_cell(fits):
    counts, names = network(26)
    figure = plot_confusion_numbers(counts, names, "t")
    assert fits(figure)
    axes = figure.axes[0]
    width, height = axes.get_window_extent().size / 26
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert max(box.width for box in boxes) < 0.9 * width
    assert max(box.height for box in boxes) < 0.9 * height


def test_without_images_there_are_no_numbers():
    figure = plot_confusion_numbers(np.zeros((2, 2), int), ["cat", "dog"], "t")
    assert {text.get_text() for text in figure.axes[0].texts} == {""}
