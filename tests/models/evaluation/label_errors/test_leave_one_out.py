import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from torch.nn.functional import one_hot

from models.evaluation.label_errors import (
    find_label_errors,
    leave_one_out,
    leave_one_out_probabilities,
    temperature_scaled,
)


def draw(num_images, num_features, num_classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(num_images) % num_classes
    centres = torch.randn(num_classes, num_features, generator=generator)
    return centres[labels] + torch.randn(num_images, num_features, generator=generator), labels


@pytest.mark.parametrize(("num_images", "num_features"), [(30, 50), (50, 12)])
def test_each_image_is_predicted_by_a_ridge_regression_without_it(num_images, num_features):
    features, labels = draw(num_images, num_features)
    standardised = leave_one_out._standardised(features)
    targets = one_hot(labels, 3).double()
    axes, variances = leave_one_out._principal_axes(standardised)
    ours = leave_one_out._left_out(axes, variances / (variances + 5.0), targets, [])
    for image in range(num_images):
        others = np.arange(num_images) != image
        # scikit-learn's intercept is not penalised either.
        peer = Ridge(alpha=5.0).fit(standardised[others], targets[others])
        expected = torch.from_numpy(peer.predict(standardised[[image]]))[0]
        assert torch.allclose(ours[image], expected, atol=1e-9)


def test_copies_are_left_out_together():
    features, labels = draw(40, 60)
    groups = torch.arange(40)
    groups[[3, 17, 20]] = 3
    standardised, targets = leave_one_out._standardised(features), one_hot(labels, 3).double()
    axes, variances = leave_one_out._principal_axes(standardised)
    together = list(leave_one_out._copies(groups))
    assert [rows.tolist() for rows in together] == [[3, 17, 20]]
    ours = leave_one_out._left_out(axes, variances / (variances + 5.0), targets, together)
    others = groups != 3
    peer = Ridge(alpha=5.0).fit(standardised[others], targets[others])
    expected = torch.from_numpy(peer.predict(standardised[~others]))
    assert torch.allclose(ours[~others], expected, atol=1e-6)


def test_noise_does_not_predict_the_labels():
    """If the mean of the others revealed the label, all predictions would be correct."""
    features = torch.randn(60, 500, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(60) % 3
    probabilities = leave_one_out_probabilities(features, labels, 3)
    assert (probabilities.argmax(dim=1) == labels).float().mean() < 0.55


def test_copy_with_the_same_wrong_label_hides_an_error_unless_both_are_in_a_group():
    features, labels = draw(60, 30)
    features[1] = features[0] + 0.01
    labels[[0, 1]] = 1  # the first is of class 0
    alone = leave_one_out_probabilities(features, labels, 3)[0, 1]
    groups = torch.arange(60)
    groups[1] = 0
    assert leave_one_out_probabilities(features, labels, 3, groups)[0, 1] < alone


def test_probabilities_sum_to_one_and_are_low_for_a_class_without_images():
    features, labels = draw(60, 30)
    probabilities = leave_one_out_probabilities(features, labels, 4)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(60))
    assert probabilities[:, 3].max() < 0.2
    assert (probabilities.argmax(dim=1) == labels).float().mean() > 0.9


def test_flipped_labels_of_digits_are_found():
    """5 % of the labels, found from the pixels alone."""
    digits = load_digits()
    features = torch.from_numpy(digits.images).flatten(1)[:600].sqrt()
    labels = torch.from_numpy(digits.target)[:600].long()
    generator = torch.Generator().manual_seed(0)
    flipped = torch.randperm(600, generator=generator)[:30]
    given = labels.clone()
    given[flipped] = (labels[flipped] + torch.randint(1, 10, (30,), generator=generator)) % 10
    found = find_label_errors(leave_one_out_probabilities(features, given, 10), given)
    hits = set(found.order()[:30].tolist()) & set(flipped.tolist())
    assert len(hits) / 30 >= 0.8
    assert (found.suggested[list(hits)] == labels[list(hits)]).float().mean() > 0.9


def test_too_many_features_are_projected_and_still_separate_the_classes(monkeypatch):
    monkeypatch.setattr(leave_one_out, "MAX_FEATURES", 64)
    features, labels = draw(200, 300)
    assert leave_one_out._standardised(features).shape == (200, 64)
    probabilities = leave_one_out_probabilities(features, labels, 3)
    assert (probabilities.argmax(dim=1) == labels).float().mean() > 0.9
    assert probabilities.equal(leave_one_out_probabilities(features, labels, 3))


def test_constant_features_do_no_harm():
    features, labels = draw(60, 30)
    more = torch.cat([features, torch.ones(60, 5)], dim=1)
    assert leave_one_out_probabilities(more, labels, 3).isfinite().all()


def test_temperature_undoes_a_scale_of_the_logits():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator)
    labels = logits.softmax(dim=1).multinomial(1, generator=generator)[:, 0]
    assert torch.allclose(temperature_scaled(10 * logits, labels), logits.softmax(dim=1), atol=0.05)
