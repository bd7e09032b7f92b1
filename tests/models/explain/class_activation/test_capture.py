"""Properties of all methods, which follow from the shared capture of features."""

import pytest
import torch
from torch import nn

from models.explain import CLASS_ACTIVATIONS, grad_cam
from models.explain.class_activation.capture import to_heat

CLASSES = torch.tensor([0])


@pytest.fixture(params=CLASS_ACTIVATIONS)
def method(request):
    return CLASS_ACTIVATIONS[request.param]


@pytest.fixture
def bright_spot_model():
    """Class 0 scores the brightness of the image, class 1 its negative."""
    conv = nn.Conv2d(1, 1, kernel_size=1, bias=False)
    nn.init.ones_(conv.weight)
    head = nn.Linear(1, 2, bias=False)
    head.weight.data = torch.tensor([[1.0], [-1.0]])
    return nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


@pytest.fixture
def bright_spot():
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 2] = 5.0
    return image


def test_map_shows_where_the_evidence_is(method, bright_spot_model, bright_spot):
    [cam] = method(bright_spot_model, bright_spot_model[0], bright_spot, CLASSES)
    torch.testing.assert_close(cam, bright_spot[0, 0] / 5.0)


@pytest.mark.parametrize("name", ["grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam"])
def test_no_evidence_gives_a_zero_map(name, bright_spot_model):
    image = torch.ones(1, 1, 4, 4)
    cam = CLASS_ACTIVATIONS[name](bright_spot_model, bright_spot_model[0], image, torch.tensor([1]))
    assert cam.eq(0).all()


def test_network_with_constant_logits_gives_a_zero_map(method, bright_spot_model):
    image = torch.zeros(1, 1, 4, 4)
    assert method(bright_spot_model, bright_spot_model[0], image, CLASSES).eq(0).all()


def test_methods_work_in_inference_mode_and_leave_no_hooks(method, bright_spot_model, bright_spot):
    bright_spot_model.train()
    state = torch.get_rng_state()
    with torch.inference_mode():
        method(bright_spot_model, bright_spot_model[0], bright_spot.clone(), CLASSES.clone())
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not bright_spot_model[0]._forward_hooks
    assert all(module.training for module in bright_spot_model.modules())
    assert all(parameter.grad is None for parameter in bright_spot_model.parameters())
    assert torch.get_rng_state().equal(state)


def test_no_hook_is_left_after_an_error(method, bright_spot_model):
    with torch.no_grad(), pytest.raises(RuntimeError):
        method(bright_spot_model, bright_spot_model[0], torch.ones(1, 2, 4, 4), CLASSES)
    with torch.no_grad():
        with pytest.raises(IndexError):
            grad_cam(
                bright_spot_model, bright_spot_model[0], torch.ones(1, 1, 4, 4), torch.tensor(0)
            )
        assert not torch.is_grad_enabled()
    assert not bright_spot_model[0]._forward_hooks


def test_frozen_network_has_the_same_map(method, bright_spot_model):
    images, classes = torch.rand(2, 1, 4, 4), torch.tensor([0, 0])
    free = method(bright_spot_model, bright_spot_model[0], images, classes)
    bright_spot_model.requires_grad_(False)
    frozen = method(bright_spot_model, bright_spot_model[0], images, classes)
    torch.testing.assert_close(frozen, free)


def test_images_are_explained_independently(method, bright_spot_model):
    images, classes = torch.rand(3, 1, 4, 4), torch.tensor([0, 1, 0])
    maps = method(bright_spot_model, bright_spot_model[0], images, classes)
    alone = method(bright_spot_model, bright_spot_model[0], images[1:2], classes[1:2])
    torch.testing.assert_close(maps[1:2], alone)


def test_layer_without_feature_map_is_refused(method, bright_spot_model, bright_spot):
    with pytest.raises(ValueError, match=r"output is a feature map, got \(1, 2\)"):
        method(bright_spot_model, bright_spot_model[3], bright_spot, CLASSES)


class Odd(nn.Module):
    """Has a layer that returns two tensors, and one that is not called."""

    def __init__(self):
        super().__init__()
        self.attention, self.unused = nn.MultiheadAttention(4, 1, batch_first=True), nn.Identity()

    def forward(self, images):
        tokens = images[:, 0]
        return self.attention(tokens, tokens, tokens)[0].mean(dim=1)


def test_layer_with_several_outputs_is_refused(method, bright_spot):
    model = Odd()
    with pytest.raises(ValueError, match="output is a feature map, got a tuple"):
        method(model, model.attention, bright_spot, CLASSES)
    assert not model.attention._forward_hooks


def test_layer_that_is_not_called_is_refused(method, bright_spot):
    model = Odd()
    with pytest.raises(ValueError, match="Expected a layer that the model calls"):
        method(model, model.unused, bright_spot, CLASSES)


class TwoUses(nn.Module):
    """Calls one activation twice, or two equal ones, after its convolutions."""

    def __init__(self, second):
        super().__init__()
        torch.manual_seed(0)
        self.convolutions = nn.ModuleList([nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)])
        self.first = nn.ReLU()
        self.second = self.first if second is None else second
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        hidden = self.first(self.convolutions[0](images))
        return self.head(self.second(self.convolutions[1](hidden)).mean(dim=(2, 3)))


def test_last_call_of_a_layer_is_explained(method):
    """As for the ReLU of torchvision's blocks, which is called several times."""
    images, classes = torch.rand(3, 1, 12, 12), torch.tensor([0, 1, 0])
    shared, apart = TwoUses(None), TwoUses(nn.ReLU())
    maps = method(shared, shared.first, images, classes)
    torch.testing.assert_close(maps, method(apart, apart.second, images, classes))


def test_later_layer_that_works_in_place_does_not_change_the_map(method):
    images, classes = torch.rand(2, 1, 12, 12), torch.tensor([0, 1])
    apart, in_place = TwoUses(nn.ReLU()), TwoUses(nn.ReLU(inplace=True))
    maps = [method(model, model.convolutions[1], images, classes) for model in (apart, in_place)]
    torch.testing.assert_close(*maps)


def test_negative_evidence_is_zero_and_the_maximum_is_one():
    heat = to_heat(
        torch.tensor([[[-2.0, 1], [4, -1]], [[-1, -1], [-1, -1]]]), torch.ones(2, 3, 2, 2)
    )
    torch.testing.assert_close(heat, torch.tensor([[[0, 0.25], [1, 0]], [[0.0, 0], [0, 0]]]))


def test_map_has_the_size_of_the_image():
    heat = to_heat(torch.rand(2, 3, 5), torch.ones(2, 1, 12, 20))
    assert heat.shape == (2, 12, 20)
    torch.testing.assert_close(heat.amax(dim=(1, 2)), torch.ones(2))
