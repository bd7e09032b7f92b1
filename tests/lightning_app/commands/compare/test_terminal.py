import pytest

from lightning_app.commands.compare.terminal import table
from lightning_app.pages.words import p_value, points


def test_columns_are_aligned():
    text = table([("", ["first", "b"]), ("accuracy", ["0.5", "0.25"])])
    assert text.splitlines() == ["          first  b", "accuracy  0.5    0.25"]


def test_columns_that_have_no_room_go_below_with_their_labels():
    text = table([("", ["one", "two", "three"]), ("lr", ["1", "2", "3"])], width=15)
    assert text.split("\n\n") == ["    one  two\nlr  1    2", "    three\nlr  3"]


def test_long_texts_are_cut_in_their_middle():
    text = table([("", ["name", "other"]), ("a" * 60, ["b" * 90, "c" * 90])])
    assert max(map(len, text.splitlines())) <= 100
    assert "…" in text


@pytest.mark.parametrize(("value", "text"), [(0.02345, "+2.3"), (-0.5, "-50.0"), (-1e-9, "+0.0")])
def test_points_have_a_sign(value, text):
    assert points(value) == text


def test_p_values_have_two_digits_that_count():
    assert [p_value(p) for p in (1.0, 0.0314, 0.00049, 1e-5)] == [
        "1",
        "0.031",
        "0.00049",
        "< 0.0001",
    ]
    assert [p_value(p, "p ") for p in (0.5, 1e-9)] == ["p = 0.5", "p < 0.0001"]
