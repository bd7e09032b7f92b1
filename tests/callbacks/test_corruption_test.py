"""Tests of the scores on corrupted images."""

import pytest
import torch

from callbacks import CorruptionTest
from callbacks.corruption_test import class_table, corruption_table, summary


@pytest.fixture
def correct():
    """Four images, all correct when clean; the strongest strength of a corruption loses two."""
    flags = torch.ones(15, 6, 4, dtype=torch.bool)
    flags[0, 5, :2] = False
    return flags


def test_the_mean_relative_loss_is_the_share_of_the_clean_accuracy_that_is_lost(correct):
    scores = summary(correct)
    assert scores["clean_accuracy"] == 1
    assert scores["gaussian_noise"] == pytest.approx(0.9)
    assert scores["accuracy"] == pytest.approx(1 - 0.1 / 15)
    assert scores["relative_loss"] == pytest.approx(0.1 / 15)


def test_the_table_has_the_clean_images_and_each_corruption_at_each_strength(correct):
    table = corruption_table(correct, "abcd")
    assert len(table["accuracy"]) == 76
    assert table["corruption"][:2] == ["none", "gaussian_noise"]
    assert (table["strength"][5], table["accuracy"][5]) == (5, 0.5)
    assert table["relative_loss"][5] == 0.5


def test_a_network_without_a_correct_image_has_no_relative_loss(correct):
    assert torch.tensor(summary(torch.zeros_like(correct))["relative_loss"]).isnan()


def test_the_worst_corruption_of_each_class_is_named(correct):
    table = class_table(correct, torch.tensor([0, 0, 2, 2]), ["cat", "dog", "owl"])
    assert table["class"] == ["cat", "owl"]
    assert table["worst"][0] == "gaussian_noise"
    assert table["worst_accuracy"] == pytest.approx([0.8, 1])


def test_a_number_of_images_below_1_is_refused():
    with pytest.raises(ValueError, match="--corrupt is -3; expected true, false, or 1 or more"):
        CorruptionTest(-3)
