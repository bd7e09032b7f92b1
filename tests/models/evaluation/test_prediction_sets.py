from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import betabinom

from models.evaluation import prediction_sets, predictions
from models.evaluation.prediction_sets import (
    ALL,
    LEVEL,
    LEVELS,
    conformal_quantile,
    fit_set_thresholds,
    label_scores,
    set_names,
    set_scores,
)
from models.evaluation.uncertainty import UNCERTAINTY, fit_uncertainty, read_uncertainty


def simulated(num_images, seed, num_classes=6):
    """Logits of an overconfident network, and labels; some classes are harder than others."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (num_images,), generator=generator)
    noise = torch.randn(num_images, num_classes, generator=generator)
    ease = 0.5 + labels[:, None] / 3
    return 4 * (noise + ease * torch.eye(num_classes)[labels]), labels


def coverage(sets, labels):
    return int(sets.gather(1, labels[:, None]).sum())


def test_scores_are_the_probabilities_of_all_more_probable_classes():
    probabilities = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], dtype=torch.float64)
    expected = torch.tensor([[0.8, 0.0, 0.5], [0.0, 0.9, 0.6]], dtype=torch.float64)
    torch.testing.assert_close(set_scores(probabilities.log()), expected)


def test_scores_of_equal_logits_follow_the_order_of_the_classes():
    torch.testing.assert_close(
        set_scores(torch.zeros(1, 4)), torch.tensor([[0, 0.25, 0.5, 0.75]], dtype=torch.float64)
    )


def test_quantile_is_the_score_of_the_rank_in_the_paper():
    scores = torch.arange(1, 20) / 100  # 19 scores: ceil(20 x 0.9) = 18
    assert conformal_quantile(scores, 0.9) == pytest.approx(0.18)
    assert conformal_quantile(scores[:9], 0.9) == pytest.approx(0.09)
    assert conformal_quantile(scores[:8], 0.9) == ALL


@pytest.mark.parametrize("level", LEVELS)
def test_sets_cover_the_true_class_of_exchangeable_images(level):
    n, m = 999, 4000
    thresholds = fit_set_thresholds(*simulated(n, seed=1))
    logits, labels = simulated(m, seed=2)
    # Given the images of the calibration, coverage is Beta(k, n + 1 - k), so that the number of
    # covered images is beta-binomial. Where the most probable class is right more often than the
    # level demands, sets of one class cover more.
    k = int(np.ceil((n + 1) * level - 1e-9))
    low, high = betabinom.interval(0.999, m, k, n + 1 - k)
    hits = coverage(logits.argmax(1)[:, None] == torch.arange(6), labels)
    covered = coverage(thresholds.sets(logits, level), labels)
    assert low <= covered <= max(high, hits)


def test_thresholds_by_class_cover_every_class_where_common_ones_do_not():
    thresholds = fit_set_thresholds(*simulated(3000, seed=3))
    logits, labels = simulated(6000, seed=4)
    for k in range(6):
        of_class, n = labels == k, 500
        low = betabinom.ppf(0.001, int(of_class.sum()), int(n * LEVEL), n - int(n * LEVEL))
        sets = thresholds.sets(logits[of_class], by_class=True)
        assert coverage(sets, labels[of_class]) >= low
    hard = labels == 0
    assert coverage(thresholds.sets(logits[hard]), labels[hard]) < 0.85 * int(hard.sum())


def test_a_class_with_too_few_images_is_in_every_set():
    logits, labels = simulated(200, seed=5)
    kept = (labels != 2) | ((labels == 2).cumsum(0) <= 8)
    thresholds = fit_set_thresholds(logits[kept], labels[kept])
    assert thresholds.by_class[2] == ALL
    assert thresholds.sets(logits, by_class=True)[:, 2].all()


def test_a_set_is_never_empty_and_grows_with_the_level():
    labels = torch.arange(3).repeat(20)
    thresholds = fit_set_thresholds(9 * torch.eye(3)[labels], labels)
    logits = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    sizes = [thresholds.sets(logits, level).sum(1) for level in LEVELS]
    assert sizes[0].min() == 1
    assert all((low <= high).all() for low, high in pairwise(sizes))


def test_names_of_a_set_have_a_bar_between_them():
    members = torch.tensor([[True, False, True], [False, True, False]])
    assert set_names(members, ("cat", "dog", "owl")) == ["cat|owl", "dog"]


def test_a_checkpoint_gives_back_what_it_was_given():
    logits, labels = simulated(100, seed=6)
    fitted = fit_uncertainty(logits, labels, torch.randn(100, 8))
    found = read_uncertainty({UNCERTAINTY: fitted.saved()})
    assert found.sets == fitted.sets
    assert found.num_images == 100
    assert found.neighbours.bank.equal(fitted.neighbours.bank)
    assert found.neighbours.threshold == fitted.neighbours.threshold


def test_checkpoints_of_earlier_versions_and_diverged_networks_have_no_uncertainty():
    logits, labels = simulated(30, seed=7)
    assert read_uncertainty({}) is None
    assert fit_uncertainty(logits / 0, labels, None) is None
    assert fit_uncertainty(logits[:0], labels[:0], None) is None
    assert fit_uncertainty(logits, labels, None).neighbours is None


def test_counts_are_those_of_the_sets_themselves(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(200, 7, generator=generator)
    labels = torch.randint(7, (200,), generator=generator)
    thresholds = fit_set_thresholds(logits, labels)
    monkeypatch.setattr(predictions, "CHUNK", 30 * 7)
    found = thresholds.counts(logits, labels)
    sets = [thresholds.sets(logits, level) for level in LEVELS]
    sets.append(thresholds.sets(logits, by_class=True))
    assert found.sizes.equal(torch.stack([each.sum(dim=1) for each in sets]))
    rows = torch.arange(200)
    assert found.hits.equal(torch.stack([each[rows, labels] for each in sets]))


def test_names_of_a_large_set_end_with_the_number_of_the_others(monkeypatch):
    monkeypatch.setattr(prediction_sets, "MOST_NAMED", 2)
    members = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 1]], dtype=torch.bool)
    assert set_names(members, ["cat", "dog", "fox", "owl"]) == ["cat|dog", "dog|fox|… 1"]


def test_scores_of_labels_are_those_of_all_classes():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randint(-3, 4, (500, 9), generator=generator).float()  # with equal ones
    logits[:250] += torch.randn(250, 9, generator=generator)
    labels = torch.randint(9, (500,), generator=generator)
    assert label_scores(logits, labels).equal(set_scores(logits)[torch.arange(500), labels])
