import pytest
import timm
import torch
from torch import nn
from torch.nn.functional import relu

from models.explain import constant_maps, feature_maps

IMAGES = torch.arange(16.0).view(1, 1, 4, 4) - 8


class Shortcut(nn.Module):
    """Adds its input before the activation, as a residual block does."""

    def __init__(self, inplace=False):
        super().__init__()
        self.conv = identity_convolution()
        self.norm, self.act = nn.BatchNorm2d(1), nn.ReLU(inplace)

    def forward(self, images):
        return self.act(self.norm(self.conv(images)) + images)


def identity_convolution(factor=1.0, filters=1):
    """A convolution that multiplies by a number."""
    layer = nn.Conv2d(1, filters, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight)
    layer.weight.data *= factor
    return layer


def network(*layers):
    return nn.Sequential(*layers).eval()


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_maps_of_a_known_filter():
    sobel = nn.Conv2d(1, 1, 3, bias=False)
    sobel.weight.data = torch.tensor([[[[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]]])
    found = feature_maps(network(sobel), IMAGES, ["0"])["0"]
    torch.testing.assert_close(found.values, torch.full((1, 1, 2, 2), 8.0))  # a step of 1 each
    assert found.activation is None


@pytest.mark.parametrize("inplace", [False, True])
def test_activation_after_the_layer_is_applied_if_wanted(inplace):
    model = network(identity_convolution(-1), nn.ReLU(inplace), nn.MaxPool2d(2))
    found = feature_maps(model, IMAGES, ["0"])["0"]
    torch.testing.assert_close(found.values, relu(-IMAGES))
    assert found.activation == "ReLU"
    before = feature_maps(model, IMAGES, ["0"], activated=False)["0"]
    torch.testing.assert_close(before.values, -IMAGES)
    assert before.activation is None


def test_norm_between_layer_and_activation_is_applied():
    norm = nn.BatchNorm2d(1)
    norm.running_mean += 2
    model = network(identity_convolution(), norm, nn.Dropout(), nn.GELU())
    found = feature_maps(model, IMAGES, ["0", "1"])
    torch.testing.assert_close(found["0"].values, model(IMAGES))
    torch.testing.assert_close(found["1"].values, model(IMAGES))
    assert found["0"].activation == "GELU"


def test_norm_that_contains_the_activation_is_applied():
    model = timm.create_model("test_efficientnet").eval()  # bn1 is norm and activation in one
    images = torch.rand(1, 3, 160, 160)
    found = feature_maps(model, images, ["conv_stem", "bn1"])
    torch.testing.assert_close(found["conv_stem"].values, found["bn1"].values)
    assert found["conv_stem"].activation == "SiLU"


def test_activation_of_another_layer_is_not_applied():
    model = network(identity_convolution(), identity_convolution(-1), nn.ReLU())
    found = feature_maps(model, IMAGES, ["0"])["0"]
    torch.testing.assert_close(found.values, IMAGES)
    assert found.activation is None


@pytest.mark.parametrize("inplace", [False, True])
def test_layer_before_a_residual_sum_has_no_activation(inplace):
    model = network(Shortcut(inplace))
    found = feature_maps(model, IMAGES, ["0.conv", "0"])
    torch.testing.assert_close(found["0.conv"].values, IMAGES)
    assert found["0.conv"].activation is None
    torch.testing.assert_close(found["0"].values, model(IMAGES))


def test_activation_outside_the_block_of_the_layer_is_found():
    model = network(nn.Sequential(identity_convolution(-1)), nn.Sequential(nn.ReLU()))
    torch.testing.assert_close(feature_maps(model, IMAGES, ["0.0"])["0.0"].values, relu(-IMAGES))


def test_last_call_of_a_layer_counts():
    double = identity_convolution(2)
    found = feature_maps(network(double, double, nn.Tanh()), IMAGES, ["0"], activated=False)
    torch.testing.assert_close(found["0"].values, 4 * IMAGES)


def test_tokens_become_maps_without_their_prefix():
    model = timm.create_model("test_vit").eval()  # a class token, and 10 x 10 patches
    images = torch.rand(1, 3, 160, 160)
    [found] = feature_maps(model, images, ["blocks.2"]).values()
    tokens = []
    with torch.no_grad():
        handle = model.blocks[2].register_forward_hook(lambda *args: tokens.append(args[2]))
        model(images)
        handle.remove()
    assert found.values.shape == (1, 64, 10, 10)
    torch.testing.assert_close(found.values[0, :, 3, 4], tokens[0][0, 1 + 3 * 10 + 4])


def test_channels_last_become_channels_first():
    class ChannelsLast(nn.Module):
        def forward(self, images):
            return torch.stack([images[:, 0], -images[:, 0]], dim=-1)

    found = feature_maps(network(ChannelsLast()), IMAGES, ["0"])["0"]
    torch.testing.assert_close(found.values, torch.cat([IMAGES, -IMAGES], dim=1))


def test_inference_mode_works_and_no_gradient_is_left():
    model = network(identity_convolution(), nn.ReLU())
    with torch.inference_mode():
        assert feature_maps(model, IMAGES, ["0"])["0"].values.shape == (1, 1, 4, 4)
    assert not feature_maps(model, IMAGES, ["0"])["0"].values.requires_grad


def test_hooks_are_removed_after_an_error_too():
    class Broken(nn.Module):
        def forward(self, images):
            raise RuntimeError("broken")

    model = network(identity_convolution(), nn.ReLU())
    feature_maps(model, IMAGES, ["0"])
    assert hooks(model) == 0
    model.append(Broken())
    with pytest.raises(RuntimeError, match="broken"):
        feature_maps(model, IMAGES, ["0"])
    assert hooks(model) == 0


def test_output_that_is_not_a_map_is_an_error():
    model = network(nn.Flatten(), nn.Linear(16, 5))
    with pytest.raises(ValueError, match=r"layer '1' returns \(1, 5\), which is not a feature map"):
        feature_maps(model, IMAGES, ["1"])


def test_layers_without_maps_are_left_out():
    model = network(identity_convolution(), nn.AdaptiveAvgPool2d(1))
    assert feature_maps(model, IMAGES, ["1", "0"]).keys() == {"0"}


def test_output_that_is_not_a_tensor_is_an_error():
    class Pair(nn.Module):
        def forward(self, images):
            return images, images

    model = network(Pair(), nn.Identity())
    with pytest.raises(ValueError, match="layer '0' does not return a tensor"):
        feature_maps(model, IMAGES, ["0"])


def test_dead_filter_has_a_constant_map():
    layer = nn.Conv2d(1, 3, 3, padding=1)
    nn.init.dirac_(layer.weight)
    layer.bias.data = torch.tensor([0.0, 0.3, -100])  # of the others the weights are zero
    found = feature_maps(network(layer, nn.ReLU()), IMAGES, ["0"])["0"]
    assert constant_maps(found.values).tolist() == [[False, True, True]]
    layer.bias.data[0] = -100  # never above zero
    found = feature_maps(network(layer, nn.ReLU()), IMAGES, ["0"])["0"]
    assert constant_maps(found.values).all()


def test_weak_map_is_not_constant():
    assert not constant_maps(1e-6 * IMAGES).any()
