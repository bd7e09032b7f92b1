import pytest
import torch

from models.explain.sanity_checks import box_masks, pointing_game


def test_box_covers_its_rows_and_columns():
    [mask] = box_masks(torch.tensor([[1, 2, 3, 5]]), height=4, width=6)
    expected = torch.zeros(4, 6, dtype=torch.bool)
    expected[1:3, 2:5] = True
    assert mask.equal(expected)


def test_share_of_maxima_on_the_object():
    masks = box_masks(torch.tensor([[0, 0, 2, 2]] * 4), height=4, width=4)
    maps = torch.zeros(4, 4, 4)
    maps[0, 1, 1] = maps[1, 0, 0] = maps[2, 1, 0] = 1.0
    maps[3, 3, 3] = 1.0
    assert pointing_game(maps, masks) == 0.75


def test_constant_map_is_not_a_hit():
    masks = torch.ones(2, 3, 3, dtype=torch.bool)
    assert pointing_game(torch.full((2, 3, 3), 0.5), masks) == 0


def test_masks_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"each map \(1, 3, 3\), got \(1, 2, 2\)"):
        pointing_game(torch.zeros(1, 3, 3), torch.zeros(1, 2, 2, dtype=torch.bool))
