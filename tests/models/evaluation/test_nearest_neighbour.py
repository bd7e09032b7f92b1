import pytest
import torch

from models.evaluation.nearest_neighbour import most_similar, nearest_neighbour

ANGLES = torch.tensor([0.0, 0.1, 1.0, 1.3])  # of four images
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1) * torch.tensor([1, 9, 1, 3])[:, None]


def test_neighbour_is_the_other_image_with_the_smallest_angle():
    assert nearest_neighbour(FEATURES, torch.arange(4)).tolist() == [1, 0, 3, 2]


def test_copies_are_no_neighbours():
    groups = torch.tensor([0, 0, 1, 2])
    assert nearest_neighbour(FEATURES, torch.arange(4), groups).tolist() == [2, 2, 3, 2]


def test_the_most_similar_others_have_the_largest_cosines():
    others = torch.tensor([[0.0, 5.0], [3.0, 3.0], [-1.0, 0.0], [2.0, 0.0]])
    similarities, rows = most_similar(torch.tensor([[0.1, 0.0]]), others, 3)
    assert rows.tolist() == [[3, 1, 0]]
    assert similarities.tolist() == [pytest.approx([1, 0.5**0.5, 0], abs=1e-6)]


def test_there_are_no_more_similar_others_than_others():
    similarities, rows = most_similar(torch.ones(2, 3), torch.ones(1, 3), 6)
    assert similarities.shape == rows.shape == (2, 1)
