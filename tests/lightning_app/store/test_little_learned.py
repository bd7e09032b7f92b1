import pytest

from lightning_app.store.little_learned import little_learned

COUNTS = [60, 20, 20]


@pytest.mark.parametrize(("accuracy", "expected"), [(0.79, (0.79, 0.6)), (0.81, None)])
def test_half_of_the_way_from_the_most_frequent_class_is_enough(accuracy, expected):
    assert little_learned({"train/accuracy": accuracy}, COUNTS, {}) == expected


@pytest.mark.parametrize(("validated", "expected"), [(0.79, (0.5, 0.6)), (0.81, None)])
def test_enough_correct_validation_images_show_that_the_network_has_learned(validated, expected):
    metrics = {"train/accuracy": 0.5, "val/accuracy": validated}
    assert little_learned(metrics, COUNTS, {}) == expected


def test_nothing_is_said_without_an_accuracy_or_of_mixed_images():
    low = {"train/accuracy": 0.1}
    assert little_learned({}, COUNTS, {}) is None
    assert little_learned(low, COUNTS, {"data.options.mixup": "0.2"}) is None
    assert little_learned(low, COUNTS, {"data.options.mixup": "0.0"}) is not None
