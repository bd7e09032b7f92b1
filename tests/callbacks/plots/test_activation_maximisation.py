import numpy as np

from callbacks.plots import plot_maximised
from callbacks.plots.activation_maximisation import CROSS, GROUND
from callbacks.plots.drawing.page import Picture


def shown(figure):
    return [picture.pixels for picture in figure.findobj(Picture)]


def test_images_are_shown_with_their_names_and_the_dead_are_crossed_out():
    images = np.random.default_rng(0).random((3, 32, 32, 1))
    figure = plot_maximised(images, ["0", "1", "2"], np.array([False, True, False]), "conv")
    alive, dead, other = shown(figure)
    np.testing.assert_allclose(alive[::2, ::2, 0], images[0, ..., 0])
    np.testing.assert_allclose(other[1::2, 1::2, 0], images[2, ..., 0])
    assert dead[0, 0, 0] == dead[31, 31, 0] == dead[0, 63, 0] == CROSS
    assert dead[0, 31, 0] == dead[31, 0, 0] == GROUND
    assert [text.get_text() for text in figure.texts[1:]] == ["0", "1 (at zero)", "2"]
    assert figure.get_suptitle() == "conv"


def test_given_images_are_not_changed():
    images = np.ones((1, 64, 80, 3))
    plot_maximised(images, ["0"], np.array([True]), "conv")
    assert (images == 1).all()
