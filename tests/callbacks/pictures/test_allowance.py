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


def test_what_a_picture_takes_besides_is_set_apart():
    assert Allowance(40).affordable(12, 3, fewest=4, besides=10) == 10
    assert Allowance(46).affordable(12, 3, fewest=4, besides=10) == 12


def test_titles_say_what_a_limit_left():
    allowance = Allowance(36)
    assert allowance.counted(5, 12) == "5 images"  # there are no more
    allowance.affordable(1200, 1, fewest=1)
    assert allowance.counted(36, 1200) == "36 of 1,200 images (limit: the budget)"
    assert allowance.counted(1, 1, ", 2 of 9 steps") == "1 image, 2 of 9 steps (limit: the budget)"
    assert allowance.counted(12, 12) == "12 images"


def test_no_more_images_than_wanted_are_used():
    assert Allowance(1).affordable(2, 3, fewest=4) == 2
