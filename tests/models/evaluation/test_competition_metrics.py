"""The metrics of competitions, against scikit-learn."""

import pytest
import torch
from sklearn.metrics import cohen_kappa_score, log_loss, roc_auc_score

from models.evaluation.competition_metrics import auc_macro, quadratic_kappa
from models.evaluation.metrics import METRICS, metric_named
from models.evaluation.predictions import Predictions


def predictions_of(num_classes, scale=1.0, size=200):
    draws = torch.Generator().manual_seed(num_classes)
    labels = torch.arange(size) % num_classes
    logits = scale * torch.randn(size, num_classes, generator=draws).half().float()  # with ties
    logits[torch.arange(size), labels] += scale
    return Predictions(logits, labels, torch.arange(size))


@pytest.mark.parametrize("num_classes", [2, 3, 10])
@pytest.mark.parametrize("scale", [1.0, 60.0])  # of the second, some probabilities are 0
def test_metrics_of_all_predictions_are_those_of_scikit_learn(num_classes, scale):
    found = predictions_of(num_classes, scale)
    labels, scores = found.labels.numpy(), found.probabilities.numpy()
    ovr = {"multi_class": "ovr", "average": "macro"} if num_classes > 2 else {}
    expected = {
        "log_loss": log_loss(labels, scores),
        "quadratic_kappa": cohen_kappa_score(labels, scores.argmax(1), weights="quadratic"),
        "auc": roc_auc_score(labels, scores if ovr else scores[:, 1], **ovr),
    }
    for name, value in expected.items():
        assert metric_named(name).of_predictions(found).item() == pytest.approx(value, abs=1e-6)


def test_images_without_a_label_do_not_count():
    known = predictions_of(3)
    more = Predictions(
        torch.cat([known.logits, torch.ones(5, 3)]),
        torch.cat([known.labels, torch.full((5,), -1)]),
        torch.arange(205),
    )
    for name in ("log_loss", "quadratic_kappa", "auc"):
        of = metric_named(name).of_predictions
        assert of(more).item() == of(known).item()


def test_a_class_without_images_is_left_out_of_the_auc():
    scores, labels = torch.randn(50, 3).softmax(dim=1), torch.arange(50) % 2
    areas = [roc_auc_score(labels == number, scores[:, number]) for number in (0, 1)]
    assert auc_macro(scores, labels).item() == pytest.approx(sum(areas) / 2, abs=1e-6)


def test_with_one_class_only_there_is_no_auc():
    assert auc_macro(torch.randn(4, 3), torch.ones(4, dtype=torch.int64)).isnan()


def test_kappa_is_1_without_mistakes_and_0_by_chance():
    assert quadratic_kappa(torch.diag(torch.tensor([3, 5, 2]))) == 1
    assert quadratic_kappa(torch.outer(torch.tensor([1, 2, 3]), torch.tensor([2, 1, 3]))) == 0


def test_the_best_value_of_a_loss_is_the_lowest():
    assert {m.name for m in METRICS if m.mode == "min"} == {"loss", "log_loss"}


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="There is no metric 'f2'; there are accuracy, f1_macro"):
        metric_named("f2")
