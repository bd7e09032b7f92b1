"""McNemar's exact test of two networks, and its extension to several seeds."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from models.evaluation.paired_test import holm, paired_test


def hits(*shape, share=0.7, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < share


def test_one_network_against_one_is_mcnemars_exact_test():
    first, second = hits(1, 200, share=0.6), hits(1, 200, share=0.75, seed=1)
    fixed = int((second & ~first).sum())
    broken = int((first & ~second).sum())
    found = paired_test(first, second)
    assert found.difference == pytest.approx((fixed - broken) / 200)
    assert found.p_value == pytest.approx(binomtest(fixed, fixed + broken).pvalue)


def test_interval_is_that_of_bonett_and_price():
    first, second = hits(1, 90, share=0.6), hits(1, 90, share=0.75, seed=1)
    up, down = ((int((a & ~b).sum()) + 1) / 92 for a, b in ((second, first), (first, second)))
    reach = 1.959964 * np.sqrt((up + down - (up - down) ** 2) / 92)
    found = paired_test(first, second)
    assert (found.low, found.high) == pytest.approx((up - down - reach, up - down + reach))


def test_several_seeds_swap_image_by_image():
    first, second = hits(2, 8, share=0.4), hits(3, 8, share=0.8, seed=1)
    differences = (second.double().mean(dim=0) - first.double().mean(dim=0)).numpy()
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=8)]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-9)
    assert paired_test(first, second).p_value == pytest.approx(expected)


def test_random_swaps_of_many_images_give_the_same_p_value():
    first, second = hits(3, 500, share=0.6), hits(2, 500, share=0.64, seed=1)
    differences = second.double().mean(dim=0) - first.double().mean(dim=0)
    signs = 2 * torch.randint(2, (20_000, 500), generator=torch.Generator().manual_seed(0)) - 1
    sums = (signs.double() @ differences).abs()
    expected = (sums >= abs(differences.sum()) - 1e-9).double().mean().item()
    assert 0.01 < expected < 0.9
    assert paired_test(first, second).p_value == pytest.approx(expected, abs=0.01)


def test_equal_predictions_have_no_difference():
    found = paired_test(hits(1, 50), hits(1, 50))
    assert (found.difference, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


def test_equally_many_wins_on_each_side_are_no_difference():
    first = torch.tensor([[True, False]])
    assert paired_test(first, ~first).p_value == 1


def test_p_value_of_wins_on_one_side_is_that_of_coin_tosses():
    found = paired_test(torch.zeros(1, 20, dtype=torch.bool), torch.ones(1, 20, dtype=torch.bool))
    assert found.difference == found.high == 1
    assert found.p_value == pytest.approx(2 * 0.5**20)


@pytest.mark.parametrize(("first", "second"), [((1, 3), (1, 4)), ((1, 0), (1, 0)), ((3,), (3,))])
def test_different_numbers_of_images_are_refused(first, second):
    with pytest.raises(ValueError, match="the same images, one or more"):
        paired_test(torch.ones(first).bool(), torch.ones(second).bool())


def test_holm_adjusts_as_by_hand():
    # sorted .005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04, which may not fall again
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([0.3]) == [0.3]
