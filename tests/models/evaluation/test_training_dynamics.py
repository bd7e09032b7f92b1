import pytest
import torch

from models.evaluation.training_dynamics import DynamicsSums

CPU = torch.device("cpu")


def test_statistics_are_those_of_the_probabilities_of_each_image():
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 6, 3, generator=draws)  # epochs, images, classes
    labels, sums = torch.tensor([0, 1, 2, 0, 1, 2]), DynamicsSums(6, 3, CPU)
    for epoch in logits:
        order = torch.randperm(6, generator=draws)
        for rows in order.split(4):
            sums.update(epoch[rows], labels[rows], rows)
    found = sums.result(labels)
    own = logits.double().softmax(dim=2)[:, torch.arange(6), labels]
    assert torch.allclose(found.mean, own.mean(dim=0), atol=1e-6)
    assert torch.allclose(found.spread, own.std(dim=0, correction=0), atol=1e-3)
    assert torch.allclose(
        found.probabilities, logits.double().softmax(dim=2).mean(dim=0), atol=1e-6
    )
    assert found.counts.tolist() == [5] * 6


def test_the_margin_is_that_to_the_highest_other_logit():
    sums = DynamicsSums(2, 3, CPU)
    sums.update(torch.tensor([[1.0, 4.0, 2.0]]), torch.tensor([0]), torch.tensor([1]))
    sums.update(torch.tensor([[5.0, 4.0, 2.0]]), torch.tensor([0]), torch.tensor([1]))
    found = sums.result(torch.tensor([0, 0]))
    assert found.margin[1].item() == pytest.approx(-1)
    assert found.mean[0].isnan()


def test_outputs_that_are_not_finite_do_not_count():
    sums = DynamicsSums(1, 2, CPU)
    for logits in ([0.0, 0.0], [torch.nan, 1.0], [torch.inf, 1.0]):
        sums.update(torch.tensor([logits]), torch.tensor([0]), torch.tensor([0]))
    found = sums.result(torch.tensor([0]))
    assert (found.mean.item(), found.counts.item()) == (0.5, 1)
