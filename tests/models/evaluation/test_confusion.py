import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from models.evaluation.confusion import accuracy, class_scores, confusion_counts, f1_macro


@pytest.fixture(scope="module")
def labels():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, 300)
    return true, np.where(rng.random(300) < 0.6, true, rng.integers(0, 5, 300))


def test_scores_are_those_of_scikit_learn(labels):
    counts = torch.from_numpy(confusion_matrix(*labels))
    for ours, theirs in zip(
        class_scores(counts), precision_recall_fscore_support(*labels), strict=True
    ):
        np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(accuracy(counts), accuracy_score(*labels))
    np.testing.assert_allclose(f1_macro(counts), precision_recall_fscore_support(*labels)[2].mean())


def test_class_that_never_occurs_has_no_score():
    scores = class_scores(torch.tensor([[3, 0, 1], [0, 0, 0], [0, 0, 2]]))
    assert scores.f1[1].isnan()
    assert scores.precision[1].isnan()
    assert scores.support.tolist() == [4, 0, 2]
    torch.testing.assert_close(f1_macro(torch.tensor([[2, 0], [0, 0]])).item(), 1.0)


def test_class_that_is_never_predicted_has_scores_of_zero():
    scores = class_scores(torch.tensor([[2, 0], [1, 0]]))
    assert (scores.precision[1], scores.recall[1], scores.f1[1]) == (0, 0, 0)


def test_confusion_counts_are_those_of_scikit_learn(labels):
    true, predicted = map(torch.from_numpy, labels)
    assert confusion_counts(predicted, true, 5).tolist() == confusion_matrix(*labels).tolist()


def test_image_without_a_label_or_a_prediction_is_not_counted():
    predicted, labels = torch.tensor([0, 1, 1, -1]), torch.tensor([0, -1, 0, 1])
    assert confusion_counts(predicted, labels, 2).tolist() == [[1, 1], [0, 0]]
