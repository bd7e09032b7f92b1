import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import one_hot

from models.evaluation.label_errors import (
    FeatureRows,
    LeaveOneOut,
    find_label_errors,
    leave_one_out,
    rotated_features,
    temperature_scaled,
)


def draw(num_images, num_features, num_classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_images) % num_classes
    centres = torch.randn(num_classes, num_features, generator=generator)
    return centres[labels] + torch.randn(num_images, num_features, generator=generator), labels


def probabilities(features, labels, num_classes, groups=None):
    return LeaveOneOut(FeatureRows([features]), labels, num_classes, groups).table()


def left_out(features, labels, groups=None, penalty=0.1, num_classes=3):
    """Scores of each image by a regression without it, and the penalty of that regression."""
    found = LeaveOneOut(FeatureRows([features]), labels, num_classes, groups)
    scores = torch.empty(len(labels), num_classes, dtype=torch.float64)
    for rows, units in found._chunks():
        scores[rows] = next(found._left_out(rows, units, (penalty,))).double()
    return scores, penalty * float(found._axes.variances.mean())


def without(features, labels, rows, penalty):
    """The same of scikit-learn, whose intercept is not penalised either."""
    standardised = StandardScaler().fit_transform(features.double())
    targets, others = one_hot(labels, 3).double().numpy(), np.ones(len(labels), bool)
    others[rows] = False
    peer = Ridge(alpha=penalty).fit(standardised[others], targets[others])
    return torch.from_numpy(peer.predict(standardised[rows]))


@pytest.mark.parametrize(("num_images", "num_features"), [(30, 50), (50, 12)])
def test_each_image_is_predicted_by_a_ridge_regression_without_it(num_images, num_features):
    features, labels = draw(num_images, num_features)
    ours, penalty = left_out(features, labels)
    for image in range(num_images):
        expected = without(features, labels, [image], penalty)[0]
        assert torch.allclose(ours[image], expected, atol=1e-5)


@pytest.mark.parametrize("num_features", [60, 12])
def test_copies_are_left_out_together(num_features):
    features, labels = draw(40, num_features)
    groups = torch.arange(40)
    groups[[3, 17, 20]] = 3
    groups[[5, 30]] = 5
    ours, penalty = left_out(features, labels, groups)
    for rows in ([3, 17, 20], [5, 30], [39]):
        assert torch.allclose(ours[rows], without(features, labels, rows, penalty), atol=1e-5)


@pytest.mark.parametrize("copies", [False, True])
def test_chunks_change_nothing(monkeypatch, copies):
    features, labels = draw(90, 12)
    groups = torch.randperm(90, generator=torch.Generator().manual_seed(1)) // 3
    groups = groups if copies else None
    parts = FeatureRows(
        [features[:30].numpy(), features[20:]], [torch.arange(30), torch.arange(10, 70)]
    )
    whole = probabilities(features, labels, 3, groups)
    for module in (leave_one_out, rotated_features):
        monkeypatch.setattr(module, "CHUNK", 12 * 29)
    found = LeaveOneOut(parts, labels, 3, groups)
    sizes = [len(rows) for rows, _ in found]
    assert sum(sizes) == 90
    assert max(sizes) <= 29 + 2 * copies
    assert torch.allclose(found.table(), whole, atol=1e-5)
    errors = find_label_errors(found, labels)
    assert errors.likely.equal(find_label_errors(whole, labels).likely)
    assert errors.order().equal(find_label_errors(whole, labels).order())


def test_penalty_and_temperature_are_chosen_by_some_of_many_images(monkeypatch):
    features, labels = draw(600, 12)
    found = LeaveOneOut(FeatureRows([features]), labels, 3)
    monkeypatch.setattr(leave_one_out, "MOST_COMPARED", 600)
    some = LeaveOneOut(FeatureRows([features]), labels, 3)
    assert [len(rows) for rows, _ in some._chunks(3)] == [200]
    assert np.log10(some._penalty / found._penalty) == pytest.approx(0, abs=0.51)  # next to it
    assert np.log10(some._temperature / found._temperature) == pytest.approx(0, abs=0.13)


def test_noise_does_not_predict_the_labels():
    """If the mean of the others revealed the label, all predictions would be correct."""
    features = torch.randn(60, 500, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(60) % 3
    found = probabilities(features, labels, 3)
    assert (found.argmax(dim=1) == labels).float().mean() < 0.55


def test_copy_with_the_same_wrong_label_hides_an_error_unless_both_are_in_a_group():
    features, labels = draw(60, 30)
    features[1] = features[0] + 0.01
    labels[[0, 1]] = 1  # the first is of class 0
    alone = probabilities(features, labels, 3)[0, 1]
    groups = torch.arange(60)
    groups[1] = 0
    assert probabilities(features, labels, 3, groups)[0, 1] < alone


def test_probabilities_sum_to_one_and_are_low_for_a_class_without_images():
    features, labels = draw(60, 30)
    found = probabilities(features, labels, 4)
    assert torch.allclose(found.sum(dim=1), torch.ones(60))
    assert found[:, 3].max() < 0.2
    assert (found.argmax(dim=1) == labels).float().mean() > 0.9


def test_flipped_labels_of_digits_are_found():
    """5 % of the labels, found from the pixels alone."""
    digits = load_digits()
    features = torch.from_numpy(digits.images).flatten(1)[:600].sqrt()
    labels = torch.from_numpy(digits.target)[:600].long()
    generator = torch.Generator().manual_seed(0)
    flipped = torch.randperm(600, generator=generator)[:30]
    given = labels.clone()
    given[flipped] = (labels[flipped] + torch.randint(1, 10, (30,), generator=generator)) % 10
    found = find_label_errors(probabilities(features, given, 10), given)
    hits = set(found.order()[:30].tolist()) & set(flipped.tolist())
    assert len(hits) / 30 >= 0.8
    assert (found.suggested[list(hits)] == labels[list(hits)]).float().mean() > 0.9


def test_too_many_features_are_projected_and_still_separate_the_classes(monkeypatch):
    monkeypatch.setattr(rotated_features, "MAX_FEATURES", 64)
    features, labels = draw(200, 300)
    rotated = rotated_features.RotatedFeatures(FeatureRows([features]), labels, 3)
    assert rotated.coordinates(torch.arange(200)).shape == (200, 64)
    found = probabilities(features, labels, 3)
    assert (found.argmax(dim=1) == labels).float().mean() > 0.9
    assert found.equal(probabilities(features, labels, 3))


def test_constant_features_do_no_harm():
    features, labels = draw(60, 30)
    more = torch.cat([features, torch.ones(60, 5)], dim=1)
    assert probabilities(more, labels, 3).isfinite().all()


def test_temperature_undoes_a_scale_of_the_logits():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator)
    labels = logits.softmax(dim=1).multinomial(1, generator=generator)[:, 0]
    assert torch.allclose(temperature_scaled(10 * logits, labels), logits.softmax(dim=1), atol=0.05)


def test_temperature_of_very_many_logits_is_that_of_some(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(40, 3, generator=generator), torch.arange(40) % 3
    monkeypatch.setattr(leave_one_out, "MOST_COMPARED", 60)
    ratio = temperature_scaled(logits[::2], labels[::2])
    assert temperature_scaled(logits, labels)[::2].equal(ratio)
