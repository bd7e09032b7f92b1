import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch.nn.functional import cross_entropy

from models.evaluation.counts import EvaluationCounts
from models.evaluation.predictions import Predictions

LOGITS = torch.tensor([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 5.0], [0.0, 9.0]])
LABELS = torch.tensor([0, 1, 0, -1, 1])


def predictions(logits=LOGITS, labels=LABELS):
    return Predictions(logits, labels, torch.arange(10, 10 + len(labels)))


def drawn(num_images=50, num_classes=4):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(num_images, num_classes, generator=generator)
    return predictions(logits, torch.randint(num_classes, (num_images,), generator=generator))


def test_unlabelled_images_can_be_left_out():
    labelled = predictions().labelled()
    assert len(labelled) == 4
    assert labelled.indices.tolist() == [10, 11, 12, 14]
    assert labelled.labels.tolist() == [0, 1, 0, 1]
    assert labelled.logits.equal(LOGITS[[0, 1, 2, 4]])


def test_unlabelled_image_is_neither_correct_nor_a_mistake():
    found = predictions()
    assert found.predicted.tolist() == [0, 0, 1, 1, 1]
    assert found.correct.tolist() == [True, False, False, False, True]
    assert found.mistakes.tolist() == [False, True, True, False, False]


def test_confidence_is_the_probability_of_the_prediction():
    found = predictions()
    expected = LOGITS.double().softmax(dim=1)
    torch.testing.assert_close(found.probabilities, expected)
    torch.testing.assert_close(found.confidence, expected.amax(dim=1))


def test_loss_is_the_cross_entropy_of_the_label_and_nan_without_one():
    found = predictions()
    known = [0, 1, 2, 4]
    expected = cross_entropy(LOGITS[known].double(), LABELS[known], reduction="none")
    torch.testing.assert_close(found.losses[known], expected)
    assert found.losses[3].isnan()


def test_orders_begin_with_the_worst():
    assert predictions().highest_losses().tolist() == [1, 2, 0, 4]
    assert predictions().most_confident_mistakes().tolist() == [1, 2]


@pytest.mark.parametrize("margins", [[20.0, 40.0], [40.0, 20.0]])
def test_of_two_confident_mistakes_the_one_with_the_larger_margin_comes_first(margins):
    """In float32 both have a confidence of exactly 1."""
    logits = torch.tensor([[margin, 0.0] for margin in margins])
    assert logits.softmax(dim=1).amax(dim=1).tolist() == [1, 1]
    found = predictions(logits, torch.ones(2, dtype=torch.int64))
    first = margins.index(40.0)
    assert found.confidence[first] > found.confidence[1 - first]
    assert found.most_confident_mistakes().tolist() == [first, 1 - first]


@pytest.mark.parametrize("margins", [[20.0, 40.0], [40.0, 20.0]])
def test_losses_of_confident_correct_predictions_are_ranked_too(margins):
    logits = torch.tensor([[margin, 0.0] for margin in margins])
    found = predictions(logits, torch.zeros(2, dtype=torch.int64))
    assert found.highest_losses().tolist() == [margins.index(20.0), margins.index(40.0)]


@pytest.mark.parametrize("labels", [torch.full((5,), -1), LOGITS.argmax(dim=1)])
def test_without_labels_or_mistakes_no_mistake_is_listed(labels):
    assert predictions(labels=labels).most_confident_mistakes().tolist() == []


def test_most_probable_classes_are_those_of_a_sort():
    found = drawn()
    values, classes = found.logits.double().softmax(dim=1).sort(dim=1, descending=True)
    best, probabilities = found.most_probable(3)
    assert best.equal(classes[:, :3])
    torch.testing.assert_close(probabilities, values[:, :3])


def test_confusion_matrix_leaves_out_unlabelled_images():
    assert predictions().confusion().tolist() == [[1, 1], [1, 1]]
    found = drawn()
    expected = confusion_matrix(found.labels, found.predicted)
    assert found.confusion().tolist() == expected.tolist()


def test_chunks_change_nothing(monkeypatch):
    whole = drawn()
    expected = (whole.confidence, whole.losses, *whole.most_probable(2))
    monkeypatch.setattr("models.evaluation.predictions.CHUNK", 21)
    again = drawn()
    found = (again.confidence, again.losses, *again.most_probable(2))
    assert all(a.equal(b) for a, b in zip(expected, found, strict=True))


def test_metrics_and_table_agree_where_logits_are_equal():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, 20, generator=generator).bfloat16().mul(4).round()
    labels = torch.randint(20, (2000,), generator=generator)
    counts = EvaluationCounts(20, logits.device, torch.nn.CrossEntropyLoss())
    counts.update(logits, labels)
    predictions = Predictions(logits.float(), labels, torch.arange(2000))
    classes, probabilities = predictions.most_probable(5)
    assert classes[:, 0].equal(logits.argmax(dim=1))
    assert (probabilities[:, 0] == probabilities[:, 1]).sum() > 200  # ties are frequent
    hits = (classes == labels[:, None]).cumsum(dim=1).sum(dim=0) / 2000
    for k, expected in enumerate(hits, start=1):
        torch.testing.assert_close(counts.top_k_accuracy(k), expected)
    torch.testing.assert_close(counts.accuracy.float(), hits[0])
