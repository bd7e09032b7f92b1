"""The fitted probe, compared with scikit-learn's logistic regression."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from models.linear_probe import NUM_FOLDS, PENALTIES, _folds, fit_linear_probe


def clusters(num_images, num_features, num_classes=3, distance=1.5):
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(num_images) % num_classes
    centres = distance * torch.randn(num_classes, num_features, generator=draws)
    features = centres[labels] + torch.randn(num_images, num_features, generator=draws)
    return (features - features.mean(dim=0)) / features.std(dim=0), labels


@pytest.mark.parametrize("shape", [(90, 6), (30, 50)], ids=["more images", "more features"])
def test_weights_are_those_of_scikit_learn(shape):
    features, labels = clusters(*shape)
    probe = fit_linear_probe(features, labels, 3)
    reference = LogisticRegression(C=1 / (probe.penalty * len(labels)), max_iter=1000, tol=1e-8)
    reference.fit(features.double().numpy(), labels.numpy())
    expected = torch.from_numpy(reference.coef_).float()
    torch.testing.assert_close(probe.weight, expected, rtol=0.01, atol=5e-3)
    # All biases together are free: only their differences matter.
    differences = torch.from_numpy(reference.intercept_ - reference.intercept_.mean()).float()
    torch.testing.assert_close(probe.bias - probe.bias.mean(), differences, rtol=0.01, atol=5e-3)


def test_features_without_information_get_the_strongest_penalty():
    features = torch.randn(120, 20, generator=torch.Generator().manual_seed(1))
    probe = fit_linear_probe(features, torch.arange(120) % 3, 3)
    assert probe.penalty == PENALTIES[0]
    assert probe.confusion.sum() == 120
    assert probe.accuracy < 0.55


def test_copies_do_not_predict_each_other():
    noise = torch.randn(40, 60, generator=torch.Generator().manual_seed(2))
    features, groups = noise.repeat(2, 1), torch.arange(40).repeat(2)
    labels = (torch.arange(40) % 2).repeat(2)
    assert fit_linear_probe(features, labels, 2).accuracy > 0.8
    assert fit_linear_probe(features, labels, 2, groups).accuracy < 0.7


def test_folds_have_equally_many_images_of_each_class():
    labels = torch.tensor([0] * 50 + [1] * 20)
    folds = _folds(labels, None)
    assert folds[:50].bincount().tolist() == [10] * NUM_FOLDS
    assert folds[50:].bincount().tolist() == [4] * NUM_FOLDS


def test_class_without_images_is_never_predicted():
    features, labels = clusters(60, 5, num_classes=2)
    probe = fit_linear_probe(features, 2 * labels, 3)  # classes 0 and 2 of 3
    assert probe.confusion[:, 1].sum() == 0
