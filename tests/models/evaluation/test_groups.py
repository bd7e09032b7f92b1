"""Groups of images: what makes one, and which differences are more than chance."""

import numpy as np
import pytest
import torch
from scipy.stats import fisher_exact

from models.evaluation.groupings import Grouping, group_numbers, group_values
from models.evaluation.groups import accuracy_at_classes, group_scores, worse_groups
from models.evaluation.predictions import Predictions
from models.evaluation.wilson import wilson

LABELS = np.arange(40) % 2


def predictions(labels, correct, confidence=0.9):
    """Predictions of two classes with a confidence."""
    predicted = np.where(correct, labels, 1 - labels)
    probabilities = torch.full((len(labels), 2), 1 - confidence, dtype=torch.float64)
    probabilities[np.arange(len(labels)), predicted] = confidence
    return Predictions(probabilities.log(), torch.from_numpy(labels), torch.arange(len(labels)))


def test_few_values_are_groups_in_their_order():
    values = ["10", "9", "", "nan", "9"] * 8
    found = group_values(values, LABELS)
    assert found.names == ["9", "10"]
    assert found.index[:5].tolist() == [1, 0, -1, -1, 0]


def test_many_numbers_become_ranges_of_equally_many_images():
    found = group_values([f"{x / 8}" for x in range(40)], LABELS)
    assert found.names == ["0 to 1.12", "1.25 to 2.38", "2.5 to 3.62", "3.75 to 4.88"]
    assert np.bincount(found.index).tolist() == [10, 10, 10, 10]
    assert found.are_ranges


def test_ranges_of_numbers_that_hardly_differ_have_different_names():
    found = group_values([str(1.7e9 + 10 * x + 0.5) for x in range(40)], LABELS)
    assert len(set(found.names)) == 4


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a"] * 40, "has one value only"),
        ([""] * 40, "is empty"),
        ([str(x) for x in range(40)], "has another whole number for each image"),
        ([f"images/{x}.png" for x in range(40)], "has 40 different values"),
        ([f"animal {x}" for x in LABELS], "is the class under another name"),
    ],
)
def test_ids_paths_and_names_of_the_class_are_no_groups(values, reason):
    assert group_values(values, LABELS) == reason


def test_numbers_are_grouped_into_named_quarters():
    found = group_numbers(np.array([4.0, 1, 3, 2]), "abcd")
    assert found.index.tolist() == [3, 0, 2, 1]


def test_scores_are_those_of_scipy_and_wilson():
    labels = np.arange(240) % 2
    index = np.repeat([0, 1], [90, 150])
    correct = np.concatenate([np.arange(90) < 61, np.arange(150) < 137])
    groupings = {"camera": Grouping(["phone", "reflex"], index)}
    phone, reflex = group_scores(groupings, predictions(labels, correct))
    assert (phone.images, phone.correct, phone.rest) == (90, 61, pytest.approx(137 / 150))
    assert (phone.low, phone.high) == wilson(61 / 90, 90)
    # The two groups have one test, so that nothing is to be adjusted.
    assert phone.p_value == reflex.p_value == fisher_exact([[61, 29], [137, 13]]).pvalue
    assert phone.is_worse
    assert not reflex.is_worse
    assert phone.calibration_error == pytest.approx(0.9 - 61 / 90)
    assert phone.confidence == pytest.approx(0.9)


def test_difference_that_classes_explain_is_said_to_be():
    labels = np.repeat([0, 1], 100)
    correct = np.concatenate([np.arange(100) < 95, np.arange(100) < 50])
    correct = np.concatenate(
        [np.random.default_rng(0).permutation(half) for half in np.split(correct, 2)]
    )
    index = np.where(np.arange(200) % 10 < 8, labels, 1 - labels)
    _, hard = group_scores({"site": Grouping(["a", "b"], index)}, predictions(labels, correct))
    assert hard.is_worse
    assert hard.is_explained
    assert hard.expected < 0.65 < 0.8 < hard.rest


def test_accuracy_at_other_classes_is_the_weighted_mean_of_their_accuracies():
    correct, labels = np.array([True, True, False, True]), np.array([0, 0, 1, 1])
    assert accuracy_at_classes(correct, labels, np.array([1, 1, 1, 0, 2])) == 0.75 * 0.5 + 0.25
    assert np.isnan(accuracy_at_classes(correct, labels, np.array([2])))


def test_small_groups_are_not_tested():
    correct = np.arange(40) >= 9
    index = np.repeat([0, 1], [9, 31])
    scores = group_scores({"site": Grouping(["a", "b"], index)}, predictions(LABELS, correct))
    assert all(np.isnan(score.p_value) for score in scores)
    assert worse_groups(scores) == []


def test_columns_that_do_not_matter_are_seldom_called_worse():
    generator, claimed = np.random.default_rng(0), 0
    labels = np.arange(200) % 2
    for _ in range(25):
        groupings = {
            str(k): Grouping(list("abcd"), generator.integers(0, 4, 200)) for k in range(5)
        }
        found = predictions(labels, generator.random(200) < 0.8)
        claimed += bool(worse_groups(group_scores(groupings, found)))
    assert claimed <= 1
