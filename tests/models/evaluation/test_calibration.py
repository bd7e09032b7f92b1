import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import multiclass_calibration_error

from models.evaluation.calibration import (
    brier_scores,
    calibration_error,
    chance_error,
    reliability,
    risk_coverage,
)
from models.evaluation.predictions import Predictions


def drawn(num_images, num_classes, sharpness=1.0, seed=0):
    """Logits, and labels drawn from their probabilities before they are sharpened."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(num_images, num_classes, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return sharpness * logits, labels


def predictions(logits, labels):
    return Predictions(logits, labels, torch.arange(len(labels)))


def bins_of(logits, labels, *options, **settings):
    found = predictions(logits, labels)
    return reliability(found.confidence, found.correct, *options, **settings)


def by_hand(confidence, correct):
    return torch.tensor(confidence, dtype=torch.float64), torch.tensor(correct)


@pytest.mark.parametrize(("num_classes", "sharpness"), [(2, 1.0), (10, 3.0), (100, 0.3)])
def test_calibration_error_is_that_of_torchmetrics(num_classes, sharpness):
    logits, labels = drawn(500, num_classes, sharpness)
    expected = multiclass_calibration_error(logits, labels, num_classes, n_bins=15, norm="l1")
    ours = calibration_error(bins_of(logits, labels))
    assert ours == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_bins_are_those_of_scikit_learn(equal_mass, strategy):
    found = predictions(*drawn(400, 5))
    bins = reliability(found.confidence, found.correct, 8, equal_mass)
    accuracy, confidence = calibration_curve(
        found.correct.numpy(), found.confidence.numpy(), n_bins=8, strategy=strategy
    )
    filled = bins.num_images > 0
    np.testing.assert_allclose(bins.confidence[filled], confidence)
    np.testing.assert_allclose(bins.accuracy[filled], accuracy)


def test_bins_by_hand():
    bins = reliability(*by_hand([0.5, 0.7, 1.0], [False, True, True]), num_bins=2)
    assert bins.num_images.tolist() == [0, 3]
    assert bins.confidence[1].item() == pytest.approx(2.2 / 3)
    assert bins.accuracy[1].item() == pytest.approx(2 / 3)
    assert bins.spread[1].item() == pytest.approx((0.25 + 0.21) ** 0.5 / 3)
    assert bins.accuracy[0].isnan()
    assert calibration_error(bins) == pytest.approx(0.2 / 3)


def test_bins_of_equal_mass_hold_equally_many_images():
    bins = bins_of(*drawn(300, 10, sharpness=20), 15, equal_mass=True)
    assert bins.num_images.tolist() == [20] * 15


def test_chance_error_is_the_mean_error_of_a_calibrated_network():
    logits, _ = drawn(300, 10)
    generator = torch.Generator().manual_seed(1)
    errors = []
    for _ in range(200):
        labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
        bins = bins_of(logits, labels)
        errors.append(calibration_error(bins))
    assert chance_error(bins) == pytest.approx(np.mean(errors), rel=0.05)


def test_brier_score_is_the_squared_distance_from_the_label():
    logits, labels = drawn(50, 4)
    truth = torch.nn.functional.one_hot(labels, 4)
    expected = (logits.double().softmax(1) - truth).square().sum(dim=1)
    torch.testing.assert_close(brier_scores(predictions(logits, labels)), expected)


def test_risk_is_the_share_of_mistakes_among_the_most_confident():
    risk = risk_coverage(*by_hand([0.6, 0.9, 0.7, 0.8], [True, True, True, False]))
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])


def test_images_of_equal_confidence_have_no_order():
    risk = risk_coverage(*by_hand([0.9, 0.9, 0.9, 0.5], [False, True, True, True]))
    assert risk.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 4])
