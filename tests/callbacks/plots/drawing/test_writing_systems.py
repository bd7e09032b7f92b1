import pytest

from callbacks.plots.drawing.writing_systems import isolated


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("cat → dog (8%) … é 猫", "cat → dog (8%) … é 猫"),
        ("not שלום (8%)", "<not [שלום] (8%)"),
        ("كلب صغير → قطة", "<[كلب صغير] → [قطة]"),
        ("صنف 3 أحمر 13%", "<[صنف 3 أحمر] 13%"),
        ("كل…ير, 2 more", "<[كل…ير], 2 more"),
    ],
)
def test_names_from_right_to_left_are_isolated(line, shown):
    marks = {"\u200e": "<", "\u2067": "[", "\u2069": "]"}
    assert isolated(line).translate(str.maketrans(marks)) == shown
