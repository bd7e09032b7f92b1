import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from lightning_app.commands.compare.pairs import classes_of, compare_pair, pairwise_p_values
from lightning_app.store.predictions import SharedPredictions

NAMES = ["cat", "dog", "owl"]


def make_predictions(num_runs=2, number=200):
    """Runs that are correct seven, eight, … times of ten, with random confidences."""
    rng = np.random.default_rng(0)
    labels = rng.choice(NAMES, number)
    right = rng.random((num_runs, number)) < 0.7 + 0.1 * np.arange(num_runs)[:, None]
    predicted = np.where(right, labels, rng.choice(NAMES, (num_runs, number)))
    images = [f"{index}.png" for index in range(number)]
    return SharedPredictions(images, labels, predicted, rng.random((num_runs, number)), 0)


def test_images_are_counted_by_which_runs_are_correct():
    predictions = make_predictions()
    pair = compare_pair(predictions, 0, 1, NAMES)
    before, after = predictions.correct.numpy()
    assert sorted(pair.fixed) == np.flatnonzero(after & ~before).tolist()
    assert sorted(pair.broken) == np.flatnonzero(before & ~after).tolist()
    assert (pair.both_correct, pair.both_wrong) == (
        (before & after).sum(),
        (~before & ~after).sum(),
    )


def test_most_confident_predictions_of_the_second_run_come_first():
    predictions = make_predictions()
    pair = compare_pair(predictions, 0, 1, NAMES)
    for rows in (pair.fixed, pair.broken):
        confidence = predictions.confidence[1, rows]
        assert (np.diff(confidence) <= 0).all()


def test_paired_test_is_mcnemars():
    pair = compare_pair(make_predictions(), 0, 1, NAMES)
    fixed, broken = len(pair.fixed), len(pair.broken)
    assert pair.test.p_value == pytest.approx(binomtest(fixed, fixed + broken).pvalue)
    assert pair.test.difference == pytest.approx((fixed - broken) / 200)


def test_classes_have_the_difference_of_their_recalls_the_largest_gain_first():
    predictions = make_predictions()
    pair = compare_pair(predictions, 0, 1, NAMES)
    right = predictions.correct.numpy()
    for change in pair.classes:
        own = predictions.labels == change.name
        before, after = right[:, own].mean(axis=1)
        assert change.images == own.sum()
        assert change.test.difference == pytest.approx(after - before)
    gains = [change.test.difference for change in pair.classes]
    assert gains == sorted(gains, reverse=True)
    assert [*pair.gained, *reversed(pair.lost)] == [c for c in pair.classes if c.test.difference]


def test_confusions_are_those_of_scikit_learn():
    predictions = make_predictions()
    pair = compare_pair(predictions, 0, 1, NAMES)
    for row in (0, 1):
        expected = confusion_matrix(predictions.labels, predictions.predicted[row], labels=NAMES)
        np.testing.assert_array_equal(pair.confusions[row], expected)


def test_p_values_of_all_pairs_are_adjusted():
    right = make_predictions(num_runs=3).correct
    found = pairwise_p_values(right)
    assert list(found) == [(0, 1), (0, 2), (1, 2)]
    plain = {}
    for first, second in found:
        fixed = int((right[second] & ~right[first]).sum())
        broken = int((right[first] & ~right[second]).sum())
        plain[first, second] = binomtest(fixed, fixed + broken).pvalue
    smallest = min(plain, key=plain.get)
    assert found[smallest] == pytest.approx(3 * plain[smallest])


def test_classes_are_in_the_order_of_the_outputs_and_others_come_last():
    predicted = np.array([["owl", "ape"]])
    predictions = SharedPredictions(
        ["a", "b"], np.array(["owl", "cat"]), predicted, torch.ones(1, 2).numpy(), 0
    )
    assert classes_of(predictions, ["owl", "dog", "cat"]) == ["owl", "cat", "ape"]
