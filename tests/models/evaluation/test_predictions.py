import pytest
import torch
from torch.nn.functional import cross_entropy

from models.evaluation.predictions import judge

LOGITS = torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 5.0], [0.0, 9.0]])
LABELS = torch.tensor([0, 1, 0, -1, 1])


def test_images_without_a_label_are_left_out():
    verdicts = judge(LOGITS, LABELS, torch.arange(10, 15))
    assert verdicts.indices.tolist() == [10, 11, 12, 14]
    assert verdicts.right.tolist() == [True, False, False, True]


def test_confidence_is_the_probability_of_the_prediction_and_the_loss_that_of_the_label():
    verdicts = judge(LOGITS, LABELS, torch.arange(5))
    probabilities = LOGITS.softmax(dim=1)[[0, 1, 2, 4]]
    torch.testing.assert_close(verdicts.confidence, probabilities.amax(dim=1))
    torch.testing.assert_close(verdicts.losses[1], cross_entropy(LOGITS[1:2], LABELS[1:2]))
    torch.testing.assert_close((-verdicts.losses).exp(), probabilities[range(4), [0, 1, 0, 1]])


def test_orders_begin_with_the_worst():
    verdicts = judge(LOGITS, LABELS, torch.arange(5))
    assert verdicts.by_loss().tolist() == [1, 2, 0, 3]
    assert verdicts.surest_mistakes().tolist() == [1, 2]


@pytest.mark.parametrize("labels", [torch.full((5,), -1), LOGITS.argmax(dim=1)])
def test_no_label_or_no_mistake_gives_no_mistakes(labels):
    assert judge(LOGITS, labels, torch.arange(5)).surest_mistakes().tolist() == []
