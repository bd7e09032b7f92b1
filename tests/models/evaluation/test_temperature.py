import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from models.evaluation.temperature import TEMPERATURES, fit_temperature, scale_by_halves


def drawn(num_images, num_classes):
    """Logits, and labels drawn from their probabilities: calibrated by construction."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(num_images, num_classes, generator=generator)
    return logits, torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]


def test_calibrated_logits_have_temperature_one_and_three_times_them_three():
    logits, labels = drawn(20_000, 10)
    assert fit_temperature(logits, labels) == pytest.approx(1, abs=0.02)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, abs=0.06)


@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
def test_temperature_is_proportional_to_the_scale_of_the_logits(scale):
    logits, labels = drawn(300, 5)
    expected = scale * fit_temperature(logits, labels)
    assert fit_temperature(scale * logits, labels) == pytest.approx(expected, rel=1e-4)


def test_temperature_is_the_optimum_of_the_log_loss():
    logits, labels = drawn(200, 6)
    logits = 2.5 * logits

    def loss(sharpness):
        return log_loss(labels, (logits.double() * sharpness).softmax(1), labels=range(6))

    best = minimize_scalar(loss, bounds=(0.01, 10), method="bounded", options={"xatol": 1e-8}).x
    assert fit_temperature(logits, labels) == pytest.approx(1 / best, rel=1e-4)


@pytest.mark.parametrize(
    ("logits", "labels", "expected"),
    [
        (5 * torch.eye(3), [0, 1, 2], TEMPERATURES[0]),  # all correct: the lower the better
        (500 * torch.eye(3), [0, 1, 2], TEMPERATURES[0]),
        (5 * torch.eye(3), [1, 2, 0], TEMPERATURES[1]),  # all misclassified
        (torch.zeros(3, 3), [0, 1, 2], 1.0),  # constant logits
    ],
)
def test_without_an_optimum_the_temperature_is_a_limit(logits, labels, expected):
    assert fit_temperature(logits, torch.tensor(labels)) == expected


def test_each_half_is_scaled_by_the_temperature_of_the_other():
    logits, labels = drawn(400, 4)
    labels = labels.sort().values
    logits[::2] *= 2
    logits[1::2] *= 5
    scaled, temperatures = scale_by_halves(logits, labels)
    assert temperatures == (
        fit_temperature(logits[::2], labels[::2]),
        fit_temperature(logits[1::2], labels[1::2]),
    )
    torch.testing.assert_close(scaled[1::2], logits[1::2] / temperatures[0])
    torch.testing.assert_close(scaled[::2], logits[::2] / temperatures[1])


def test_halves_hold_equally_many_images_of_each_class():
    logits, labels = drawn(200, 2)
    scaled, _ = scale_by_halves(logits, labels)
    factors = (logits / scaled)[:, 0]
    first = factors.isclose(factors[0])
    for label in (0, 1):
        of_class = first[labels == label]
        assert abs(2 * of_class.sum().item() - len(of_class)) <= 1


def test_two_images_are_enough():
    scaled, _ = scale_by_halves(torch.eye(2), torch.tensor([0, 1]))
    assert scaled.isfinite().all()
