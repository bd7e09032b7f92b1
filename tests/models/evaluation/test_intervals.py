import numpy as np
import pytest
import torch
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import confusion_matrix

from models.evaluation import intervals
from models.evaluation.confusion import class_scores, f1_macro
from models.evaluation.intervals import bootstrap_intervals


@pytest.fixture(scope="module")
def labels():
    rng = np.random.default_rng(0)
    true = rng.choice(4, 200, p=[0.4, 0.3, 0.2, 0.1])
    return true, np.where(rng.random(200) < 0.6, true, rng.integers(0, 4, 200))


def intervals_of(labels, **options):
    return bootstrap_intervals(torch.from_numpy(confusion_matrix(*labels)), **options)


def test_intervals_are_those_of_images_resampled_by_hand(labels):
    draws = np.random.default_rng(1).integers(0, 200, (4000, 200))
    true, predicted = (side[draws] for side in labels)
    ours = intervals_of(labels, num_draws=4000)
    for k in range(4):
        hits = ((true == k) & (predicted == k)).sum(axis=1)
        support, guesses = (true == k).sum(axis=1), (predicted == k).sum(axis=1)
        scores = hits / guesses, hits / support, 2 * hits / (support + guesses)
        expected = np.quantile(scores, [0.025, 0.975], axis=1)
        np.testing.assert_allclose([score[:, k] for score in ours[:3]], expected.T, atol=0.02)


def test_accuracy_and_macro_f1_have_the_intervals_of_scipy(labels):
    def f1(true, predicted):
        hits = [2 * ((true == k) & (predicted == k)).sum() for k in range(4)]
        return np.mean(
            [h / ((true == k).sum() + (predicted == k).sum()) for k, h in enumerate(hits)]
        )

    ours = intervals_of(labels)
    options = {"vectorized": False, "rng": 0, "n_resamples": 2000}
    right = (labels[0] == labels[1]).astype(float)
    low, high = bootstrap((right,), np.mean, method="percentile", **options).confidence_interval
    np.testing.assert_allclose(ours.overall_accuracy, [low, high], atol=0.01)
    found = bootstrap(labels, f1, paired=True, method="basic", **options).confidence_interval
    np.testing.assert_allclose(ours.f1_macro, [*found], atol=0.01)


def test_95_percent_of_the_intervals_contain_the_true_value():
    rng = np.random.default_rng(0)
    chances = np.array([[0.4, 0.06, 0.04], [0.05, 0.2, 0.05], [0.02, 0.05, 0.13]])
    truth = class_scores(torch.from_numpy(chances * 1e9))
    expected = [*truth[:3], torch.tensor(0.73), truth.f1.mean()]
    held = []
    for seed in range(300):
        counts = torch.from_numpy(rng.multinomial(150, chances.ravel()).reshape(3, 3))
        found = bootstrap_intervals(counts, num_draws=300, seed=seed)
        pairs = zip(found, expected, strict=True)
        held.append([((low <= e) & (e <= high)).double().mean() for (low, high), e in pairs])
    coverage = np.mean(held, axis=0)
    assert (coverage > 0.92).all(), coverage
    assert (coverage < 0.98).all(), coverage


def test_interval_of_macro_f1_is_not_biased_by_rare_classes():
    """Each draw misses images, so that plain percentiles would lie below the value."""
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(60), 5)
    predicted = np.where(rng.random(300) < 0.7, true, rng.integers(0, 60, 300))
    low, high = intervals_of((true, predicted)).f1_macro.tolist()
    value = f1_macro(torch.from_numpy(confusion_matrix(true, predicted))).item()
    assert low <= value < high - 0.03


@pytest.mark.parametrize(("hits", "images"), [(5, 5), (0, 7)])
def test_interval_of_a_share_of_0_or_1_is_the_exact_one(hits, images):
    counts = torch.tensor([[hits, images - hits], [0, 40]])
    found = bootstrap_intervals(counts)
    exact = binomtest(hits, images).proportion_ci(method="exact")
    np.testing.assert_allclose(found.recall[:, 0], [*exact], rtol=1e-6)
    if hits:
        jaccard = np.array([*exact])
        np.testing.assert_allclose(found.f1[:, 0], 2 * jaccard / (1 + jaccard), rtol=1e-6)
        overall = binomtest(45, 45).proportion_ci(method="exact")
        np.testing.assert_allclose(found.overall_accuracy, [*overall], rtol=1e-6)
        np.testing.assert_allclose(found.f1_macro, [*overall], rtol=1e-6)


def test_precision_of_a_class_that_is_never_predicted_is_unknown():
    found = bootstrap_intervals(torch.tensor([[0, 3], [0, 9]]))
    assert found.precision[:, 0].tolist() == [0, 1]


def test_class_that_never_occurs_has_no_interval():
    found = bootstrap_intervals(torch.tensor([[5, 2, 0], [1, 4, 0], [0, 0, 0]]))
    for interval in found[:3]:
        assert interval.isnan().tolist() == [[False, False, True]] * 2
    assert not found.f1_macro.isnan().any()


def test_higher_confidence_makes_intervals_wider(labels):
    half, most = (intervals_of(labels, confidence=c).overall_accuracy for c in (0.5, 0.99))
    assert most[0] < half[0] < half[1] < most[1]


def test_draws_repeat_and_do_not_use_the_global_generator(labels):
    state = torch.get_rng_state()
    first, second = (intervals_of(labels, num_draws=50) for _ in range(2))
    assert all(one.equal(other) for one, other in zip(first, second, strict=True))
    assert torch.get_rng_state().equal(state)


def test_no_image_is_refused():
    with pytest.raises(ValueError, match="Expected counts of one image or more, got none"):
        bootstrap_intervals(torch.zeros(3, 3, dtype=torch.int64))


def test_size_of_the_chunks_changes_nothing(labels, monkeypatch):
    whole = intervals_of(labels)
    monkeypatch.setattr(intervals, "CHUNK", 100)
    for found, expected in zip(intervals_of(labels), whole, strict=True):
        assert found.equal(expected)


def test_many_images_make_the_intervals_narrow_and_cost_no_more():
    low, high = bootstrap_intervals(torch.tensor([[600, 200], [100, 100]]) * 10**9).overall_accuracy
    assert low == pytest.approx(0.7, abs=1e-4)
    assert high == pytest.approx(0.7, abs=1e-4)
