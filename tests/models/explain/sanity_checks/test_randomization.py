import numpy as np
import pytest
import timm
import torch
from scipy.stats import spearmanr
from torch import nn

from models.explain.sanity_checks import randomization, randomized, rank_correlation


def gradient(model, images, classes):
    images = images.clone().requires_grad_()
    score = model(images).gather(1, classes[:, None]).sum()
    return torch.autograd.grad(score, images)[0].abs().amax(dim=1)


def brightness(model, images, classes):
    """A method that does not depend on the network."""
    return images.mean(dim=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Tanh(), nn.Conv2d(8, 4, 3), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 4 * 4, 3)).eval()


@pytest.fixture
def images():
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


CLASSES = torch.tensor([0, 1, 2, 0, 1])


@pytest.mark.parametrize("values", [10_000, 4], ids=["all differ", "many are equal"])
def test_rank_correlation_is_that_of_scipy(values):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randint(values, (6, 7, 9), generator=generator).float() for _ in range(2))
    b += a / 2
    expected = [spearmanr(x.flatten(), y.flatten()).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), expected, atol=1e-6)


def test_unrelated_maps_do_not_correlate_and_equal_maps_do():
    maps, others = torch.rand(2, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    assert rank_correlation(maps, others).abs().max() < 0.05
    torch.testing.assert_close(rank_correlation(maps, maps.exp()), torch.ones(4))
    torch.testing.assert_close(rank_correlation(maps, -maps), -torch.ones(4))


def test_correlation_with_a_constant_map_is_zero_and_of_one_nan():
    maps, flat = torch.rand(2, 4, 4), torch.zeros(2, 4, 4)
    assert rank_correlation(maps, flat).tolist() == [0, 0]
    assert rank_correlation(flat, maps).isnan().all()


def test_method_that_ignores_the_network_has_correlation_one(network, images):
    correlations = randomization(network, brightness, images, CLASSES).correlations
    torch.testing.assert_close(correlations, torch.ones(3, 5))


def test_gradient_depends_on_the_weights(network, images):
    found = randomization(network, gradient, images, CLASSES)
    torch.testing.assert_close(found.maps[0], gradient(network, images, CLASSES))
    assert found.correlations[-1].mean().abs() < 0.3


def test_stages_go_from_the_logits_to_the_input_and_end_with_all_layers(network, images):
    found = randomization(network, gradient, images, CLASSES)
    assert found.layers == ["5", "3", "0"]
    torch.testing.assert_close(found.maps[-1], gradient(randomized(network), images, CLASSES))


def test_each_stage_randomises_more_layers_than_the_one_before(network, images):
    def forgotten(model, images, classes):
        pairs = zip(model.parameters(), network.parameters(), strict=True)
        return torch.full((len(images), 2, 2), sum(not a.equal(b) for a, b in pairs)).float()

    numbers = randomization(network, forgotten, images, CLASSES).maps[:, 0, 0, 0]
    assert numbers.tolist() == [0, 2, 4, 6]  # the batch norm is as at its beginning already


@pytest.mark.parametrize(("num_stages", "expected"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_number_of_stages_is_limited(network, images, num_stages, expected):
    found = randomization(network, gradient, images, CLASSES, num_stages)
    assert found.correlations.shape == (expected, 5)
    assert found.layers[-1] == "0"


@pytest.mark.parametrize("name", ["test_vit", "test_convnext"])
def test_parameters_outside_of_layers_are_randomised_too(name):
    model = timm.create_model(name)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    fresh = dict(randomized(model).named_parameters())
    assert not [n for n, parameter in model.named_parameters() if parameter.equal(fresh[n])]


def test_network_and_random_numbers_are_not_changed(network, images):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    with torch.inference_mode():
        first = randomization(network, gradient, images.clone(), CLASSES.clone())
    assert torch.get_rng_state().equal(state)
    assert all(before[name].equal(tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert first.maps.equal(randomization(network, gradient, images, CLASSES).maps)
    other = randomization(network, gradient, images, CLASSES, seed=1)
    assert not first.maps[1].equal(other.maps[1])


def test_weights_differ_from_the_initial_ones(network):
    fresh = randomized(network)  # the network was built with the seed 0
    assert not fresh[0].weight.equal(network[0].weight)


def test_network_without_weights_is_refused(images):
    with pytest.raises(ValueError, match="no layer with weights to randomise"):
        randomization(nn.Flatten(), brightness, images, CLASSES)


def test_no_stage_is_refused(network, images):
    with pytest.raises(ValueError, match="num_stages to be 1 or more, got 0"):
        randomization(network, brightness, images, CLASSES, num_stages=0)
