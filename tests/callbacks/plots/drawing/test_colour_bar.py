import numpy as np
import pytest
from matplotlib.colors import Normalize, PowerNorm

from callbacks.plots.drawing.colour_bar import GAP, WIDTH, ColourBar
from callbacks.plots.drawing.page import Box, new_page
from callbacks.plots.drawing.rendered import rendered

BOX = Box(10, 40, 20, 200)


def bar(norm, whole=False, label="weight"):
    page = new_page(150, 260)
    return page, ColourBar(page, BOX, "viridis", norm, label, whole)


def texts(found):
    return [part.get_text() for part in found.get_children() if hasattr(part, "get_text")]


def test_colours_go_from_the_lowest_value_up_to_the_highest():
    page, _ = bar(Normalize(0, 2))
    column = rendered(page)[:, 10 + 20 + GAP + WIDTH // 2].astype(int)
    np.testing.assert_allclose(column[42], [253, 231, 36], atol=8)
    np.testing.assert_allclose(column[237], [68, 1, 84], atol=8)
    np.testing.assert_allclose(column[140], [33, 145, 140], atol=4)


def test_ticks_are_round_numbers_at_their_places():
    _, found = bar(PowerNorm(0.5, 0, 100))
    assert found.ticks == [0, 20, 40, 60, 80, 100]
    assert texts(found) == ["0", "20", "40", "60", "80", "100", "weight"]
    heights = [p.get_window_extent().y0 for p in found.get_children()[1:7]]
    np.testing.assert_allclose(heights, 20 + 200 * np.sqrt(np.arange(0, 101, 20) / 100), atol=0.1)


def test_counts_have_no_ticks_at_fractions():
    assert bar(Normalize(0, 2), whole=True)[1].ticks == [0, 1, 2]
    assert bar(Normalize(0, 2))[1].ticks != [0, 1, 2]


@pytest.mark.parametrize("limits", [(-3e-7, 3e-7), (0, 4e9), (-1, 1), (0, 99999), (5, 5)])
def test_any_numbers_and_a_long_label_fit(limits, fits):
    page, found = bar(Normalize(*limits), label="change of the norm of weights in all layers")
    assert fits(page)
    assert max(map(len, texts(found)[:-1])) < 8


def test_small_numbers_have_a_power_of_ten():
    assert texts(bar(Normalize(0, 2e-5))[1])[-2].endswith("e\N{MINUS SIGN}5")
