import copy

import pytest
import torch

from models import ImageClassifier, SmallCNN
from models.soup import average, estimate_statistics, greedy_soup, moved_norms


@pytest.fixture
def networks():
    """Two networks whose batch norms have seen other images."""
    found = []
    for seed in range(2):
        torch.manual_seed(seed)
        network = ImageClassifier(SmallCNN(4, 1), 3)
        network.train()(torch.rand(8, 1, 16, 16) * (seed + 1))
        found.append(network.eval())
    return found


def test_soup_of_two_equal_networks_is_the_network(networks):
    state = networks[0].state_dict()
    for name, value in average([state, copy.deepcopy(state)]).items():
        assert torch.equal(value, state[name])
    assert moved_norms(networks[0], [state, copy.deepcopy(state)]) == []


def test_weights_are_the_mean(networks):
    first, second = (network.state_dict() for network in networks)
    found = average([first, second])
    name = "head.layers.1.weight"
    assert torch.allclose(found[name], (first[name] + second[name]) / 2)
    assert found["backbone.blocks.block1.norm.num_batches_tracked"].item() == 1


def test_statistics_are_those_of_the_batches_by_hand(networks):
    model, states = networks[0], [network.state_dict() for network in networks]
    model.load_state_dict(average(states))
    norms = moved_norms(model, states)
    assert len(norms) == 3
    batches = [torch.rand(6, 1, 16, 16), torch.rand(6, 1, 16, 16)]
    # The first norm sees the convolution of the images, whatever the other norms do.
    block = model.backbone.blocks.block1
    outputs = [block.conv(model.backbone.normalize(images)) for images in batches]
    mean = torch.stack([o.mean((0, 2, 3)) for o in outputs]).mean(0)
    variance = torch.stack([o.var((0, 2, 3), unbiased=True) for o in outputs]).mean(0)
    estimate_statistics(model, norms, batches)
    assert torch.allclose(block.norm.running_mean, mean, atol=1e-6)
    assert torch.allclose(block.norm.running_var, variance, atol=1e-6)
    assert block.norm.momentum == 0.1
    assert not block.norm.training


def test_greedy_soup_keeps_what_improves_the_best_network():
    scores = {
        (0,): (0.6, -1.0),
        (1,): (0.8, -1.0),
        (2,): (0.7, -1.0),
        (1, 2): (0.8, -1.0),
        (1, 0): (0.8, -0.9),
    }
    steps = []
    kept = greedy_soup(
        [{}, {}, {}], lambda places: scores[tuple(places)], lambda *s: steps.append(s)
    )
    assert kept == [1, 0]  # with 2 it is only equal; with 0 as accurate, at a lower loss
    assert [(place, good) for place, *_, good in steps] == [(1, True), (2, False), (0, True)]
