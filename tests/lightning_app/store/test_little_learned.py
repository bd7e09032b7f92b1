import pytest

from lightning_app.store.little_learned import little_learned

COUNTS = [60, 20, 20]


@pytest.mark.parametrize(("accuracy", "expected"), [(0.79, (0.79, 0.6)), (0.81, None)])
def test_half_of_the_way_from_the_most_frequent_class_is_enough(accuracy, expected):
    assert little_learned(accuracy, COUNTS, {}) == expected


def test_nothing_is_said_without_an_accuracy_or_of_mixed_images():
    assert little_learned(None, COUNTS, {}) is None
    assert little_learned(0.1, COUNTS, {"data.options.mixup": "0.2"}) is None
    assert little_learned(0.1, COUNTS, {"data.options.mixup": "0.0"}) is not None
