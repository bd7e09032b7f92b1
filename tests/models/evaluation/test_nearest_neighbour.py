import torch

from models.evaluation.nearest_neighbour import nearest_neighbour

ANGLES = torch.tensor([0.0, 0.1, 1.0, 1.3])  # of four images
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1) * torch.tensor([1, 9, 1, 3])[:, None]


def test_neighbour_is_the_other_image_with_the_smallest_angle():
    assert nearest_neighbour(FEATURES, torch.arange(4)).tolist() == [1, 0, 3, 2]


def test_copies_are_no_neighbours():
    groups = torch.tensor([0, 0, 1, 2])
    assert nearest_neighbour(FEATURES, torch.arange(4), groups).tolist() == [2, 2, 3, 2]
