"""The metrics that a validation logs, against torchmetrics and scikit-learn."""

import subprocess
import sys

import pytest
import torch
from lightning.pytorch.strategies import SingleDeviceStrategy
from sklearn.metrics import balanced_accuracy_score
from torch.nn import CrossEntropyLoss, Module
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_f1_score

from models.evaluation.counts import EvaluationCounts
from models.evaluation.metrics import metrics_for
from models.evaluation.training_sums import TrainingSums

CPU = torch.device("cpu")


def batches_of(num_classes, sizes=(40, 40, 7)):
    """Losses, logits and labels of batches; about half of the predictions are correct."""
    generator = torch.Generator().manual_seed(0)
    for size in sizes:
        logits = torch.randn(size, num_classes, generator=generator)
        labels = torch.randint(num_classes, (size,), generator=generator)
        logits[torch.arange(size), labels] += 1.5
        yield logits, labels


def counted(num_classes):
    """Counts of all batches, the logits and the labels."""
    counts, parts = EvaluationCounts(num_classes, CPU, CrossEntropyLoss()), []
    for logits, labels in batches_of(num_classes):
        counts.update(logits, labels)
        parts.append((logits, labels))
    logits, labels = map(torch.cat, zip(*parts, strict=True))
    return counts.total(SingleDeviceStrategy("cpu")), logits, labels


def values_of(counts, num_classes):
    return {metric.name: metric.value(counts).item() for metric in metrics_for(num_classes)}


@pytest.mark.parametrize(("num_classes", "k"), [(2, None), (5, None), (6, 3), (19, 3), (20, 5)])
def test_metrics_are_those_of_torchmetrics(num_classes, k):
    counts, logits, labels = counted(num_classes)
    options = {"num_classes": num_classes}
    expected = {
        "accuracy": multiclass_accuracy(logits, labels, average="micro", **options),
        "f1_macro": multiclass_f1_score(logits, labels, average="macro", **options),
        "loss": torch.nn.functional.cross_entropy(logits, labels),
    }
    if k is not None:
        top_k = multiclass_accuracy(logits, labels, average="micro", top_k=k, **options)
        expected[f"top{k}_accuracy"] = top_k
    found = values_of(counts, num_classes)
    assert found.keys() == expected.keys()
    assert found == pytest.approx({name: value.item() for name, value in expected.items()})


def test_another_metric_follows_from_the_same_counts():
    counts, logits, labels = counted(7)
    balanced = counts.class_scores.recall.nanmean().item()
    assert balanced == pytest.approx(balanced_accuracy_score(labels, logits.argmax(dim=1)))


def test_sum_of_the_losses_is_not_rounded():
    class FirstLogit(Module):
        def forward(self, logits, labels):
            return logits[:, 0].mean()

    counts = EvaluationCounts(2, CPU, FirstLogit())
    for loss in (2.0**26, *[1.0] * 62):  # in float32, the first one swallows the others
        counts.update(torch.tensor([[loss, 0.0]]), torch.tensor([0]))
    assert counts.loss.item() == torch.tensor((2**26 + 62) / 63).item()


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 7.0, 0.5])])
def test_loss_does_not_depend_on_how_images_are_batched(weight):
    logits, labels = torch.randn(60, 3), torch.randint(3, (60,))
    weights = None if weight is None else weight.double()
    expected = torch.nn.functional.cross_entropy(logits.double(), labels, weights)
    for size in (1, 7, 60):
        counts = EvaluationCounts(3, CPU, CrossEntropyLoss(weight))
        for batch in zip(logits.split(size), labels.split(size), strict=True):
            counts.update(*batch)
        assert counts.loss == expected.float()


def test_without_images_no_metric_has_a_value():
    counts = EvaluationCounts(20, CPU, CrossEntropyLoss())
    assert all(metric.value(counts).isnan() for metric in metrics_for(20))


def test_total_leaves_the_counts_of_the_process_alone():
    class TwoAlike:
        """Reduces as DDP does, in place, as if another process had the same counts."""

        def reduce(self, tensor, reduce_op):
            return tensor.mul_(2)

    counts = EvaluationCounts(6, CPU, CrossEntropyLoss())
    for batch in batches_of(6):
        counts.update(*batch)
    total = counts.total(TwoAlike())
    assert (counts.images, total.images) == (87, 174)
    assert values_of(total, 6) == pytest.approx(values_of(counts, 6))


def test_training_sums_weigh_batches_by_their_images():
    sums = TrainingSums(CPU)
    sums.update(torch.tensor(2.0), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0]))
    sums.update(torch.tensor(5.0), torch.tensor([[0.0, 1.0]]), torch.tensor([1]))
    assert sums.values.tolist() == [2 * 2 + 5, 1 + 1, 3]


def test_training_sums_do_not_depend_on_when_batches_are_counted():
    batches = [*batches_of(6), *batches_of(6)]
    losses = [torch.tensor(1.1 * number) for number in range(1, len(batches) + 1)]
    together, apart = TrainingSums(CPU), TrainingSums(CPU)
    for loss, (logits, labels) in zip(losses, batches, strict=True):
        together.update(loss, logits, labels)
        apart.update(loss, logits, torch.eye(6)[labels])  # as mixed labels are given
        apart.count()
    images = [len(labels) for _, labels in batches]
    loss = sum(a.double() * n for a, n in zip(losses, images, strict=True))
    hits = sum((a.argmax(dim=1) == b).sum() for a, b in batches)
    assert together.values.tolist() == apart.values.tolist() == [loss, hits, sum(images)]


def test_list_of_metrics_is_imported_without_torch():
    code = "import sys, models.evaluation.metrics; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
