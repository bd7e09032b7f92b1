import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from models import Head
from models.loss import CrossEntropy, balanced_weights

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.3]])
LABELS = torch.tensor([0, 2])


def test_plain_head_is_one_linear_layer():
    assert [type(layer) for layer in Head(8, 3).layers] == [nn.Dropout, nn.Linear]
    assert sum(p.numel() for p in Head(8, 3).parameters()) == 8 * 3 + 3


def test_hidden_layers_come_before_the_logits():
    head = Head(8, 3, hidden=(16, 5))
    sizes = [layer.out_features for layer in head.layers if isinstance(layer, nn.Linear)]
    assert sizes == [16, 5, 3]
    assert head(torch.rand(2, 8)).shape == (2, 3)


def test_loss_is_the_mean_negative_log_probability():
    expected = -LOGITS.softmax(dim=1)[[0, 1], LABELS].log().mean()
    torch.testing.assert_close(CrossEntropy([1, 1, 1])(LOGITS, LABELS), expected)


def test_smoothing_mixes_in_all_classes():
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


def test_weights_of_fer2013_are_those_that_were_published():
    counts = [3995, 436, 4097, 7215, 4830, 3171, 4965]
    published = torch.tensor([1.0266, 9.4066, 1.0010, 0.5684, 0.8491, 1.2934, 0.8260])
    torch.testing.assert_close(balanced_weights(counts), published, rtol=0, atol=5e-5)


def test_listed_weights_are_used():
    loss = CrossEntropy([1, 1, 1], class_weights=[1.0, 1.0, 0.0])
    torch.testing.assert_close(
        loss(LOGITS, LABELS), CrossEntropy([1, 1, 1])(LOGITS[:1], LABELS[:1])
    )


def test_wrong_number_of_weights_is_refused():
    with pytest.raises(ValueError, match=r"a list of 3 numbers, one a class, got 2"):
        CrossEntropy([1, 1, 1], class_weights=[1.0, 2.0])


def test_class_that_is_not_trained_on_does_not_change_the_weights_of_the_others():
    weight = balanced_weights([4, 0, 3])
    torch.testing.assert_close(weight[[0, 2]], balanced_weights([4, 3]))
    assert weight[1] == 1


def test_shares_of_classes_have_the_loss_of_their_mean():
    """What MixUp makes: the mean of the losses for both labels, by their shares."""
    loss, logits = CrossEntropy([1, 1, 1]), torch.randn(2, 3)
    shares = torch.tensor([[0.3, 0.7, 0.0], [0.0, 0.0, 1.0]])
    single = [loss(logits[:1], torch.tensor([label])) for label in (0, 1)]
    last = loss(logits[1:], torch.tensor([2]))
    torch.testing.assert_close(loss(logits, shares), (0.3 * single[0] + 0.7 * single[1] + last) / 2)
