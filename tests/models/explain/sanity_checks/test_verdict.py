import pytest
import torch
from scipy.stats import t

from models.explain.sanity_checks import judge, moved_maps

MAPS = torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(0)).repeat(2, 1, 1)
FAR = torch.zeros(8)  # correlations
LOW = torch.linspace(0.1, 0.2, 8)  # areas
HIGH = LOW + torch.tensor([0.1, 0.3]).repeat(4)


def test_maps_that_matter_and_depend_on_the_weights_pass():
    verdict = judge(MAPS, FAR, LOW, HIGH)
    assert verdict.failed == []
    assert verdict.reasons() == []
    assert verdict[:5] == pytest.approx((8, 0, 0, 0.15, 0.35))


def test_p_value_is_that_of_the_paired_t_test():
    statistic = -0.2 / (0.1 * (8 / 7) ** 0.5 / 8**0.5)
    assert judge(MAPS, FAR, LOW, HIGH).p_value == pytest.approx(t(7).cdf(statistic), rel=1e-4)


@pytest.mark.parametrize("elsewhere", [LOW, LOW * 0.9, LOW + torch.tensor([-0.2, 0.21]).repeat(4)])
def test_maps_that_matter_no_more_than_other_places_fail(elsewhere):
    verdict = judge(MAPS, FAR, LOW, elsewhere)
    assert verdict.failed == ["deletion"]
    assert verdict.reasons()[0].startswith(
        "what they mark matters little more than other places, if at all"
    )


def test_a_certain_difference_has_to_matter_too():
    varied = torch.tensor([0.001, 0.002]).repeat(4)
    small = judge(MAPS, FAR, LOW + 0.3, LOW + 0.3 + varied)
    assert small.p_value < 0.001
    assert small.failed == ["deletion"]
    assert judge(MAPS, FAR, LOW + 0.3, LOW + 0.3 + 20 * varied).failed == []


def test_maps_that_resemble_those_of_random_weights_fail():
    assert judge(MAPS, FAR + 0.49, LOW, HIGH).failed == []
    verdict = judge(MAPS, FAR + 0.5, LOW, HIGH)
    assert verdict.failed == ["randomization"]
    assert verdict.reasons() == ["random weights give nearly the same maps (rank correlation 0.50)"]


def test_flat_maps_fail_whatever_their_correlation():
    """Which is not defined, and not 0 as between unrelated maps."""
    some = torch.cat([torch.ones(5, 3, 3), MAPS[:3]])
    verdict = judge(some, torch.tensor([torch.nan] * 5 + [0.0] * 3), LOW, HIGH)
    assert verdict.failed == ["flat"]
    assert verdict.reasons() == ["62% of them are the same everywhere"]
    assert judge(torch.cat([some[4:], MAPS[:4]]), FAR, LOW, HIGH).failed == []


@pytest.mark.parametrize(("number", "failed"), [(5, []), (6, ["randomization", "deletion"])])
def test_few_images_are_no_reason_to_doubt(number, failed):
    maps, alike = MAPS[:number], FAR[:number] + 1
    assert judge(maps, alike, LOW[:number], LOW[:number]).failed == failed
    flat = judge(torch.ones_like(maps), alike, LOW[:number], LOW[:number])
    assert flat.failed == ["flat"] * (number == 6)


def test_moved_maps_mark_other_places_of_the_same_size():
    maps = torch.zeros(20, 8, 12)
    maps[:, 2, 3] = 1
    moved = moved_maps(maps)
    assert moved.sum(dim=(1, 2)).eq(1).all()
    rows, columns = moved.nonzero()[:, 1], moved.nonzero()[:, 2]
    assert set(((rows - 2) % 8).tolist()) == {2, 3, 4, 5}  # a quarter to three quarters
    assert {3, 8} <= set(((columns - 3) % 12).tolist()) <= set(range(3, 9))
    assert moved.equal(moved_maps(maps))
