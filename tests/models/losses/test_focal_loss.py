import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch.nn.functional import one_hot
from torchvision.ops import sigmoid_focal_loss

from models import CrossEntropy, FocalLoss

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.3]])
LABELS = torch.tensor([0, 2])
WEIGHTS = [0.5, 2.0, 1.5]
SHARES = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.2, 0.8]])


def reference(gamma, shares, weights):
    p = softmax(LOGITS.double().numpy(), axis=1)
    weighted = shares * np.array(weights)
    return (weighted * (1 - p) ** gamma * -np.log(p)).sum() / weighted.sum()


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_loss_follows_its_formula(gamma, weights):
    loss = FocalLoss([1, 1, 1], gamma, class_weights=weights)
    expected = reference(gamma, np.eye(3)[LABELS], weights or [1, 1, 1])
    assert loss(LOGITS, LABELS).item() == pytest.approx(expected)
    expected = reference(gamma, SHARES.numpy(), weights or [1, 1, 1])
    assert loss(LOGITS, SHARES).item() == pytest.approx(expected)


def test_focal_loss_of_two_classes_is_that_of_torchvision():
    """The softmax of two logits is the sigmoid of their difference."""
    logits, labels = torch.randn(16, 2), torch.randint(2, (16,))
    difference = logits[:, 1] - logits[:, 0]
    expected = sigmoid_focal_loss(difference, labels.float(), alpha=-1, gamma=2, reduction="mean")
    torch.testing.assert_close(FocalLoss([1, 1])(logits, labels), expected)


@pytest.mark.parametrize("labels", [LABELS, SHARES])
@pytest.mark.parametrize("weights", [None, "balanced", WEIGHTS])
def test_gamma_zero_is_cross_entropy(labels, weights):
    counts = [5, 2, 13]
    focal = FocalLoss(counts, gamma=0, class_weights=weights)(LOGITS, labels)
    entropy = CrossEntropy(counts, class_weights=weights)(LOGITS, labels)
    torch.testing.assert_close(focal, entropy)


def test_labels_and_the_same_labels_as_shares_have_the_same_loss():
    loss = FocalLoss([1, 1, 1], class_weights=WEIGHTS)
    torch.testing.assert_close(loss(LOGITS, one_hot(LABELS, 3).float()), loss(LOGITS, LABELS))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("label", [0, 1])
def test_certain_network_has_a_finite_loss_and_gradient(gamma, label):
    logits = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    loss = FocalLoss([4, 0, 3], gamma, class_weights="balanced")(logits, torch.tensor([label]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_negative_gamma_is_refused():
    with pytest.raises(ValueError, match=r"Expected gamma of 0 or more, got -1\."):
        FocalLoss([1, 1], gamma=-1)


def test_wrong_number_of_weights_is_refused():
    with pytest.raises(ValueError, match="a list of 2 numbers, one per class, got 1"):
        FocalLoss([1, 1], class_weights=[1.0])
