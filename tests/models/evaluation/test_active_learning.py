import pytest
import torch

from models.evaluation.active_learning import choose_images

# Around a circle; the margins grow with the number of the image, and 1 is a copy of 0.
ANGLES = torch.tensor([0.0, 0.0, 0.5, 3.0, 1.5, 1.6])
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)
MARGINS = torch.arange(6) / 10
PROBABILITIES = torch.stack([0.5 + MARGINS / 2, 0.5 - MARGINS / 2], dim=1)


def test_the_smallest_margins_come_first_and_near_copies_once():
    assert choose_images(PROBABILITIES, FEATURES, 3, "margin").tolist() == [0, 2, 3]


def test_diverse_images_are_the_farthest_from_those_before():
    assert choose_images(PROBABILITIES, FEATURES, 3, "diversity").tolist() == [0, 3, 4]


def test_both_takes_diverse_images_of_the_most_uncertain():
    assert choose_images(PROBABILITIES, FEATURES, 2, "both").tolist() == [0, 3]
    assert choose_images(PROBABILITIES, FEATURES[[0, 1, 2, 2, 3, 3]], 2, "both").tolist() == [0, 2]


@pytest.mark.parametrize("strategy", ["margin", "diversity", "both"])
def test_there_are_no_more_than_the_different_images(strategy):
    same = torch.ones(6, 2)
    assert choose_images(PROBABILITIES, same, 4, strategy).tolist() == [0]
