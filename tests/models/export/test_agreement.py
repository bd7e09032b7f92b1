import numpy as np
import pytest

from models.export.agreement import DifferentOutputError, agreement, require_agreement

EXPECTED = np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])


def test_difference_and_other_classes_are_counted():
    found = agreement(EXPECTED, np.array([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3]]))
    assert found.largest_difference == pytest.approx(0.3)
    assert (found.images, found.other_classes, found.is_exact) == (2, 1, False)


def test_rounding_is_no_difference_and_a_tie_has_no_other_class():
    tied = np.array([[0.5, 0.5, 0.0]])
    found = agreement(tied, tied + np.array([-2e-8, 2e-8, 0]))
    assert found.is_exact


def test_a_probability_that_is_not_finite_is_a_difference():
    found = EXPECTED.copy()
    found[0, 1] = np.nan
    assert not agreement(EXPECTED, found).is_exact


def test_a_difference_is_refused_with_its_figures():
    message = r"ONNX does not give .* 1.0e-03 \(allowed: 1e-04\), another class for 0 of 2 images"
    with pytest.raises(DifferentOutputError, match=message):
        require_agreement(EXPECTED, EXPECTED + np.array([1e-3, -1e-3, 0]), "ONNX")
    with pytest.raises(ValueError, match=r"Expected probabilities \(2, 3\), got \(2, 2\)"):
        agreement(EXPECTED, EXPECTED[:, :2])
