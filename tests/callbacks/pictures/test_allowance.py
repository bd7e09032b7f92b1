import math

import pytest

from callbacks.pictures.allowance import Allowance


@pytest.mark.parametrize(
    ("passes", "number", "exhausted"),
    [(math.inf, 12, False), (36, 12, False), (35, 11, True), (3, 4, True)],
)
def test_fewer_images_are_used_if_not_all_are_affordable(passes, number, exhausted):
    allowance = Allowance(passes)
    assert allowance.affordable(12, 3, fewest=4) == number
    assert allowance.exhausted == exhausted


def test_no_more_images_than_wanted_are_used():
    assert Allowance(1).affordable(2, 3, fewest=4) == 2
