import pytest

from lightning_app.pages.words import p_value, points


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
