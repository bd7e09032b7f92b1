import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, one_hot

from models.losses.loss import CrossEntropy, balanced_weights

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.3]])
LABELS = torch.tensor([0, 2])
WEIGHTS = [0.5, 2.0, 1.5]
SHARES = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.2, 0.8]])


def test_loss_is_the_mean_negative_log_probability():
    expected = -LOGITS.softmax(dim=1)[[0, 1], LABELS].log().mean()
    torch.testing.assert_close(CrossEntropy([1, 1, 1])(LOGITS, LABELS), expected)


def test_smoothing_adds_the_mean_loss_of_all_classes():
    log_p = LOGITS.log_softmax(dim=1)
    expected = -(0.7 * log_p[[0, 1], LABELS] + 0.3 * log_p.mean(dim=1)).mean()
    torch.testing.assert_close(
        CrossEntropy([1, 1, 1], label_smoothing=0.3)(LOGITS, LABELS), expected
    )


def test_balanced_weights_are_those_of_scikit_learn():
    counts = [5, 2, 13]
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    torch.testing.assert_close(
        balanced_weights(counts).double(), torch.tensor(expected), rtol=1e-6, atol=0
    )


def test_balanced_weights_of_fer2013_are_the_published_ones():
    counts = [3995, 436, 4097, 7215, 4830, 3171, 4965]
    published = torch.tensor([1.0266, 9.4066, 1.0010, 0.5684, 0.8491, 1.2934, 0.8260])
    torch.testing.assert_close(balanced_weights(counts), published, rtol=0, atol=5e-5)


def test_listed_weights_are_used():
    loss = CrossEntropy([1, 1, 1], class_weights=[1.0, 1.0, 0.0])
    torch.testing.assert_close(
        loss(LOGITS, LABELS), CrossEntropy([1, 1, 1])(LOGITS[:1], LABELS[:1])
    )


def test_wrong_number_of_weights_is_refused():
    with pytest.raises(ValueError, match=r"a list of 3 numbers, one per class, got 2"):
        CrossEntropy([1, 1, 1], class_weights=[1.0, 2.0])


def test_class_without_images_does_not_change_the_weights_of_the_others():
    weight = balanced_weights([4, 0, 3])
    torch.testing.assert_close(weight[[0, 2]], balanced_weights([4, 3]))
    assert weight[1] == 1


def test_shares_of_classes_have_the_loss_of_their_mean():
    """As in MixUp: the mean of the losses for both labels, weighted by their shares."""
    loss, logits = CrossEntropy([1, 1, 1]), torch.randn(2, 3)
    shares = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.0, 1.0]])
    single = [loss(logits[:1], torch.tensor([label])) for label in (0, 1)]
    last = loss(logits[1:], torch.tensor([2]))
    torch.testing.assert_close(loss(logits, shares), (0.3 * single[0] + 0.7 * single[1] + last) / 2)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_weighted_loss_of_labels_is_that_of_torch(smoothing):
    loss = CrossEntropy([1, 1, 1], label_smoothing=smoothing, class_weights=WEIGHTS)
    expected = cross_entropy(LOGITS, LABELS, torch.tensor(WEIGHTS), label_smoothing=smoothing)
    torch.testing.assert_close(loss(LOGITS, LABELS), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_labels_and_the_same_labels_as_shares_have_the_same_loss(smoothing):
    loss = CrossEntropy([1, 1, 1], label_smoothing=smoothing, class_weights=WEIGHTS)
    torch.testing.assert_close(loss(LOGITS, one_hot(LABELS, 3).float()), loss(LOGITS, LABELS))


def test_weighted_loss_of_shares_is_the_weighted_mean():
    """Each class has its weight times its share in the batch."""
    terms = -log_softmax(LOGITS.numpy(), axis=1)
    weights = SHARES.numpy() * np.array(WEIGHTS)
    expected = (weights * terms).sum() / weights.sum()
    loss = CrossEntropy([1, 1, 1], class_weights=WEIGHTS)(LOGITS, SHARES)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("labels", [torch.tensor([2, 2]), torch.tensor([[0.0, 0.0, 1.0]] * 2)])
def test_batch_of_images_of_weight_zero_has_loss_zero(labels):
    assert CrossEntropy([1, 1, 1], class_weights=[1.0, 1.0, 0.0])(LOGITS, labels) == 0


@pytest.mark.parametrize("counts", [[4, 0, 3], [0, 0, 0]])
def test_loss_stays_finite_with_a_class_without_images(counts):
    loss = CrossEntropy(counts, class_weights="balanced")
    assert loss(LOGITS, torch.tensor([1, 1])).isfinite()


@pytest.mark.parametrize("smoothing", [3, -0.1, float("nan")])
def test_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"Expected label_smoothing in \[0, 1\], got (3|-0.1|nan)"):
        CrossEntropy([1, 1], label_smoothing=smoothing)


def test_negative_or_infinite_weight_is_refused():
    with pytest.raises(ValueError, match=r"Expected class_weights of 0 or more, got -1\."):
        CrossEntropy([1, 1], class_weights=[1.0, -1.0])
    with pytest.raises(ValueError, match=r"Expected class_weights of 0 or more, got inf\."):
        CrossEntropy([1, 1], class_weights=[1.0, float("inf")])


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(ValueError, match="Expected a class weight above 0, got 0 for all"):
        CrossEntropy([1, 1], class_weights=[0.0, 0.0])


def test_misspelt_balanced_is_refused():
    with pytest.raises(ValueError, match=r"`balanced` or a list of 2 numbers.*got 'balance'"):
        CrossEntropy([1, 1], class_weights="balance")
