"""Attributions equal those of captum, or values computed by hand."""

import pytest
import torch
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
)
from captum.attr import Saliency as CaptumSaliency
from torch import nn

from models.explain import SALIENCIES, NothingToShow
from models.explain.saliency import (
    guided_backpropagation,
    integrated_gradients,
    rectified_gradient,
    smooth_grad,
    vanilla_gradient,
)

CLASSES = torch.tensor([0, 2, 1])
EXACT = {"rtol": 0, "atol": 1e-5}


@pytest.fixture
def network():
    """Two convolutions and a head; each ReLU a module of its own, as captum requires."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 3),
    ).eval()


@pytest.fixture
def images():
    return torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(1))


PEERS = {
    "vanilla": lambda model, images: CaptumSaliency(model).attribute(images, CLASSES, abs=False),
    "guided": lambda model, images: GuidedBackprop(model).attribute(images, CLASSES),
    "rectified": lambda model, images: Deconvolution(model).attribute(images, CLASSES),
    "gradient_times_input": lambda model, images: InputXGradient(model).attribute(images, CLASSES),
    "integrated_gradients": lambda model, images: IntegratedGradients(model).attribute(
        images, target=CLASSES, n_steps=50, method="riemann_middle"
    ),
}


@pytest.mark.parametrize("method", PEERS)
@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU:UserWarning")
@pytest.mark.filterwarnings("ignore:Input Tensor .* did not already require gradients:UserWarning")
def test_attributions_are_those_of_captum(network, images, method):
    ours = SALIENCIES[method](network, images, CLASSES)
    expected = PEERS[method](network, images.clone())
    assert ours.abs().amax() > 1e-4
    torch.testing.assert_close(ours, expected.detach(), **EXACT)


def test_smooth_grad_is_that_of_captum_with_the_same_noise(network, images, monkeypatch):
    ours = smooth_grad(network, images, CLASSES, num_samples=4, noise=0.2, seed=3)
    generator = torch.Generator().manual_seed(3)
    noise = [torch.randn(images.shape[1:], generator=generator) for _ in range(4)]
    spread = 0.2 * (images.amax(dim=(1, 2, 3)) - images.amin(dim=(1, 2, 3)))[:, None, None, None]

    def draw(mean, deviation):  # captum asks for all copies of each image at once
        copies = torch.stack(noise) * spread[:, None]
        return mean + copies.flatten(0, 1).view_as(deviation)

    monkeypatch.setattr(torch, "normal", draw)
    tunnel = NoiseTunnel(CaptumSaliency(network))
    expected = tunnel.attribute(
        images.clone(), nt_samples=4, nt_type="smoothgrad", target=CLASSES, abs=False
    )
    torch.testing.assert_close(ours, expected, **EXACT)


def test_integrated_gradients_add_up_to_the_logit(network, images):
    attributions = integrated_gradients(network, images, CLASSES, num_steps=400)
    with torch.no_grad():
        logits = network(images) - network(torch.zeros_like(images))
    gained = logits.gather(1, CLASSES[:, None])[:, 0]
    torch.testing.assert_close(attributions.sum(dim=(1, 2, 3)), gained, rtol=0.01, atol=1e-3)


@pytest.mark.parametrize("method", SALIENCIES)
def test_images_are_explained_independently(network, images, method):
    whole = SALIENCIES[method](network, images, CLASSES)
    alone = [SALIENCIES[method](network, images[i : i + 1], CLASSES[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(whole, torch.cat(alone), **EXACT)


@pytest.mark.parametrize("method", SALIENCIES)
def test_frozen_network_is_explained_in_inference_mode_and_not_changed(network, images, method):
    expected = SALIENCIES[method](network, images, CLASSES)
    network.requires_grad_(False)
    state = torch.get_rng_state()
    with torch.inference_mode():
        given = SALIENCIES[method](network, images, CLASSES)
    torch.testing.assert_close(given, expected, **EXACT)
    assert torch.get_rng_state().equal(state)
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())


class Functional(nn.Module):
    """The same ReLU as a function, a method, in place, and a module that is called twice."""

    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.head = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2)
        shared = nn.ReLU()
        self.apply_relu = {
            "function": nn.functional.relu,
            "method": lambda values: values.relu(),
            "in place": nn.ReLU(inplace=True),
            "torch": torch.relu,
            "torch in place": lambda values: torch.relu_(values.clone()),
            "shared": shared,
        }[kind]

    def forward(self, images):
        hidden = self.apply_relu(self.first(images.flatten(1)))
        return self.head(self.apply_relu(self.second(hidden)))


@pytest.mark.parametrize("kind", ["method", "in place", "torch", "torch in place", "shared"])
@pytest.mark.parametrize("method", [guided_backpropagation, rectified_gradient])
def test_relu_is_rectified_however_it_is_called(kind, method):
    images = torch.rand(2, 1, 2, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    expected = method(Functional("function"), images, torch.tensor([0, 1]))
    given = method(Functional(kind), images, torch.tensor([0, 1]))
    assert not expected.allclose(vanilla_gradient(Functional("function"), images, CLASSES[:2] // 2))
    torch.testing.assert_close(given, expected, **EXACT)


@pytest.mark.parametrize("method", [guided_backpropagation, rectified_gradient])
def test_network_without_relu_is_an_error(method):
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.GELU(), nn.Linear(3, 2))
    with pytest.raises(NothingToShow, match="no ReLU at which the gradient could be rectified"):
        method(model, torch.rand(1, 1, 2, 2), torch.tensor([0]))


def test_gradient_of_a_linear_network_is_its_weight():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    gradient = vanilla_gradient(model, torch.rand(1, 1, 2, 2), torch.tensor([1]))
    torch.testing.assert_close(gradient.flatten(), model[1].weight[1].detach())


@pytest.mark.parametrize(("pooling", "same"), [(nn.AvgPool2d(2), True), (nn.MaxPool2d(2), False)])
def test_rectified_gradient_depends_on_the_image_only_through_max_pooling(images, pooling, same):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3), nn.ReLU(), pooling, nn.Conv2d(6, 8, 3, stride=2), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 3))
    first, second, _ = rectified_gradient(network, images, torch.zeros(3, dtype=torch.long))
    assert first.any()
    assert first.allclose(second) is same
