import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from models import CrossEntropy, LogitAdjustment

COUNTS = [90, 9, 1]
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.3]])
LABELS = torch.tensor([0, 2])
SHARES = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.2, 0.8]])


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_log_prior_is_added_to_the_logits(tau):
    log_p = log_softmax(LOGITS.numpy() + tau * np.log(np.array(COUNTS) / 100), axis=1)
    loss = LogitAdjustment(COUNTS, tau)
    assert loss(LOGITS, LABELS).item() == pytest.approx(-log_p[[0, 1], LABELS].mean())
    expected = -(SHARES.numpy() * log_p).sum(axis=1).mean()
    assert loss(LOGITS, SHARES).item() == pytest.approx(expected)


@pytest.mark.parametrize("labels", [LABELS, SHARES])
def test_equal_counts_or_tau_zero_are_cross_entropy(labels):
    for loss in (LogitAdjustment([7, 7, 7], 1, 0.1), LogitAdjustment(COUNTS, 0, 0.1)):
        expected = CrossEntropy(COUNTS, label_smoothing=0.1)(LOGITS, labels)
        torch.testing.assert_close(loss(LOGITS, labels), expected)


def test_optimal_logits_do_not_prefer_the_frequent_class():
    """For images without information, cross-entropy learns the shares, this loss equal logits."""
    labels = torch.arange(3).repeat_interleave(torch.tensor(COUNTS))
    logits = torch.tensor([0.5, 0.0, -0.5], requires_grad=True)
    optimizer, loss = torch.optim.SGD([logits], lr=1.0), LogitAdjustment(COUNTS)
    for _ in range(500):
        optimizer.zero_grad()
        loss(logits.expand(100, 3), labels).backward()
        optimizer.step()
    torch.testing.assert_close(logits.detach(), torch.zeros(3), rtol=0, atol=0.02)


def test_class_without_images_counts_as_one_with_a_single_image():
    absent, single = LogitAdjustment([90, 9, 0]), LogitAdjustment([90, 9, 1])
    torch.testing.assert_close(absent.adjustment, single.adjustment)
    assert absent(LOGITS, LABELS).isfinite()


@pytest.mark.parametrize("tau", [-0.5, float("inf")])
def test_tau_out_of_range_is_refused(tau):
    with pytest.raises(ValueError, match=r"Expected tau of 0 or more, got (-0\.5|inf)\."):
        LogitAdjustment(COUNTS, tau)


def test_smoothing_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"Expected label_smoothing in \[0, 1\], got 3\."):
        LogitAdjustment(COUNTS, label_smoothing=3)
