import pytest
import torch
from torch import nn

from models import MLP, PlainCNN
from models.backbones.parameter_budget import count_parameters, scale_for_budget, scaled


@pytest.mark.parametrize("kind", [PlainCNN, MLP])
@pytest.mark.parametrize("budget", [2e5, 2.2e6, 1e7])
def test_number_of_parameters_is_close_to_the_budget(kind, budget):
    with torch.device("meta"):
        assert count_parameters(kind(budget=budget, num_channels=1)) == pytest.approx(
            budget, rel=0.02
        )


@pytest.mark.parametrize("kind", [PlainCNN, MLP])
def test_more_budget_never_makes_a_smaller_network(kind):
    budgets = [1e4, 1.1e4, 5e4, 1e5, 1.01e5, 1e6]
    with torch.device("meta"):
        sizes = [count_parameters(kind(budget=b, image_size=16)) for b in budgets]
    assert sizes == sorted(sizes)


def test_network_with_exactly_the_budget_is_found():
    with torch.device("meta"):
        asked = PlainCNN(num_channels=1)
        found = PlainCNN(budget=count_parameters(asked), num_channels=1)
    shapes = [[p.shape for p in network.parameters()] for network in (asked, found)]
    assert shapes[0] == shapes[1]


def test_closer_one_of_two_sizes_is_taken():
    def build(scale):
        return nn.Linear(scaled((10,), scale)[0], 100, bias=False)

    assert scaled((10,), scale_for_budget(build, 1249)) == (12,)
    assert scaled((10,), scale_for_budget(build, 1251)) == (13,)


def test_widths_keep_their_proportions():
    with torch.device("meta"):
        backbone = PlainCNN(budget=1e7, num_channels=1)
    widths = [block.conv.out_channels for block in backbone.blocks]
    assert widths[1] / widths[0] == pytest.approx(2, abs=0.02)
    assert widths[2] / widths[1] == pytest.approx(2, abs=0.02)


def test_search_draws_no_random_numbers():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    scale_for_budget(lambda scale: nn.Linear(*scaled((4, 4), scale)), 1000)
    assert torch.get_rng_state().equal(state)


@pytest.mark.parametrize("budget", [500, -1, float("inf")])
def test_impossible_budget_is_refused_with_the_smallest_one(budget):
    expected = r"finite budget of 1,035 parameters or more.*got (500|-1|inf)\."
    with pytest.raises(ValueError, match=expected):
        MLP(budget=budget, num_channels=1, image_size=32)
