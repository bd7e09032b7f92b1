import pytest
import torch
from torch import nn

from models import SmallCNN, TimmBackbone, TorchvisionBackbone
from models.explain import maximise_activation
from models.explain.activation_maximisation import count_channels
from models.explain.activation_maximisation.target import Target, convolution_weights

CONVOLUTIONS = {
    "plain": {"kernel_size": 3},
    "padded": {"kernel_size": 5, "padding": 2},
    "same": {"kernel_size": 5, "padding": "same"},
    "valid": {"kernel_size": 3, "padding": "valid"},
    "same, even": {"kernel_size": 4, "padding": "same"},
    "much padding": {"kernel_size": 3, "padding": 3},
    "oblong": {"kernel_size": (1, 5), "padding": (0, 2), "dilation": (1, 2)},
    "stride": {"kernel_size": 3, "stride": 2, "padding": 1},
    "dilation": {"kernel_size": 3, "dilation": 2, "padding": 1},
    "groups": {"kernel_size": 3, "groups": 2, "padding": 1},
    "depthwise": {"kernel_size": 3, "groups": 8},
    "mirrored": {"kernel_size": 3, "padding": 2, "padding_mode": "reflect"},
    "pointwise": {"kernel_size": 1, "bias": False},
}


def plain_gradient(model, layer, images, channels):
    """Reference: all channels of the whole network, from which one per image is selected."""
    outputs = []  # copies, for the next layer may work in place
    handle = layer.register_forward_hook(lambda m, args, output: outputs.append(output.clone()))
    model(images)
    handle.remove()
    rows = torch.arange(len(images))
    goal = outputs[-1][rows, channels].flatten(1).mean(dim=1)
    return goal.detach(), torch.autograd.grad(goal.sum(), images)[0]


def own_gradient(model, layer, images, channels):
    target = Target(model, layer, images[:1].detach())
    maps = target.maps(images, channels)
    goal = (maps.relu() if target.is_rectified else maps).mean(dim=1)
    return target, goal.detach(), torch.autograd.grad(goal.sum(), images)[0]


def assert_alike(model, layer, shape=(3, 12, 12), num_channels=8):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(6, *shape, generator=generator).requires_grad_()
    channels = torch.randint(num_channels, (6,), generator=generator)
    target, goal, gradient = own_gradient(model, layer, images, channels)
    expected, plain = plain_gradient(model, layer, images, channels)
    assert plain.any()
    torch.testing.assert_close(goal, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(gradient, plain, rtol=0, atol=1e-6 * plain.abs().max().item())
    return target


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_filter_per_image_has_the_gradient_of_the_whole_layer(options):
    torch.manual_seed(0)
    convolution = nn.Conv2d(8, 8, **options)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), convolution, nn.Flatten())
    assert assert_alike(model, convolution).stop.layer is convolution


def test_first_convolution_of_rgb_images_has_it_too():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.Flatten())
    assert_alike(model, model[0])


@pytest.mark.parametrize("name", ["conv", "norm", "relu", "pool"])
def test_norm_activation_and_pooling_after_a_convolution_have_it_too(name):
    torch.manual_seed(0)
    model = SmallCNN(8, num_channels=3).train()
    model(torch.rand(16, 3, 12, 12))  # so that the norms have something to do
    block = model.eval().blocks.block2
    target = assert_alike(model, block.get_submodule(name), num_channels=16)
    assert target.stop.layer is block.conv
    assert target.stop.is_before


def test_block_that_ends_with_them_has_it_too():
    torch.manual_seed(0)
    model = SmallCNN(8, num_channels=3).eval()
    assert assert_alike(model, model.blocks.block1).stop.layer is model.blocks.block1.conv


def test_norm_in_training_mode_is_computed_for_all_channels():
    torch.manual_seed(0)
    model = SmallCNN(8, num_channels=3).train()
    target = Target(model, model.blocks.block1.norm, torch.rand(1, 3, 12, 12))
    assert target.stop.layer is model.blocks.block1.norm


def test_convolution_with_parametrised_weights_is_computed_for_all_channels():
    torch.manual_seed(0)
    convolution = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3))
    model = nn.Sequential(convolution, nn.Flatten())
    assert not assert_alike(model, convolution).stop.is_before


class Residual(nn.Module):
    """A block like torchvision's: one ReLU, in place, that is called twice."""

    def __init__(self, in_place):
        super().__init__()
        torch.manual_seed(0)
        self.in_place = in_place
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images):
        hidden = self.relu(self.first(images))
        hidden = self.second(hidden)
        if self.in_place:
            hidden += images
        else:
            hidden = hidden + images
        return self.relu(hidden).mean(dim=(2, 3))


@pytest.mark.parametrize("in_place", [False, True])
def test_last_call_of_a_layer_counts(in_place):
    model = Residual(in_place)
    images = torch.rand(3, 3, 8, 8)
    target = Target(model, model.relu, images[:1])
    expected = model.second(model.first(images).relu()) + images
    channels = torch.tensor([0, 1, 2])
    maps = target.maps(images, channels)
    torch.testing.assert_close(maps, expected[[0, 1, 2], channels].flatten(1))


@pytest.mark.parametrize(
    ("make", "name", "size", "count"),
    [
        (lambda: TimmBackbone("test_vit"), "network.patch_embed.proj", 160, 64),
        (lambda: TimmBackbone("test_vit"), "network.blocks.2", 160, 64),
        (lambda: TimmBackbone("test_vit"), "network.blocks.2.mlp.act", 160, 192),
        (lambda: TimmBackbone("test_convnext"), "network.stages.1", 64, 32),
        (lambda: TorchvisionBackbone("resnet18"), "network.layer1.0", 64, 64),
    ],
)
def test_channels_of_each_family_can_be_maximised(make, name, size, count):
    torch.manual_seed(0)
    model = make().eval()
    layer = model.get_submodule(name)
    shape = (3, size, size)
    assert count_channels(model, layer, shape) == count
    result = maximise_activation(model, layer, [0, count - 1], shape, steps=4)
    assert result.images.shape == (2, *shape)
    assert (result.objective[:, -1] > result.objective[:, 0]).all()


class ChannelsLast(nn.Module):
    """Has its channels last, like Swin."""

    def forward(self, maps):
        return maps.permute(0, 2, 3, 1)


def test_channels_last_are_found():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 1), ChannelsLast(), nn.Flatten())
    images = torch.rand(2, 3, 6, 6)
    target = Target(model, model[1], images[:1])
    assert target.num_channels == 16
    expected = model[0](images)[[0, 1], [4, 12]].flatten(1)
    torch.testing.assert_close(target.maps(images, torch.tensor([4, 12])), expected)


def test_class_token_is_not_part_of_the_map():
    torch.manual_seed(0)
    model = TimmBackbone("test_vit").eval()
    images = torch.rand(2, 3, 160, 160)
    target = Target(model, model.network.blocks[2], images[:1])
    outputs = []
    model.network.blocks[2].register_forward_hook(lambda m, a, output: outputs.append(output))
    model(images)
    maps = target.maps(images, torch.tensor([3, 5]))
    torch.testing.assert_close(maps, torch.stack([outputs[0][0, 1:, 3], outputs[0][1, 1:, 5]]))


def test_network_is_not_run_after_the_layer():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten())
    target = Target(model, model[1], torch.rand(1, 3, 12, 12))
    calls = []
    for layer in model:
        layer.register_forward_hook(lambda module, args, output: calls.append(module))
    target.maps(torch.rand(2, 3, 12, 12), torch.tensor([0, 1]))
    assert calls == []  # not even the convolution: just two of its filters


class Pair(nn.Module):
    """Returns two tensors."""

    def forward(self, images):
        return images, images


class Detour(nn.Module):
    """Has a layer that it does not call, and one whose output has no channels."""

    def __init__(self):
        super().__init__()
        self.unused, self.pair, self.flat = nn.Conv2d(1, 1, 1), Pair(), nn.Flatten(0)

    def forward(self, images):
        images, _ = self.pair(images)
        return self.flat(images)[None, :2]


def test_layer_that_is_not_called_is_refused():
    model = Detour()
    with pytest.raises(ValueError, match=r"a layer that the model calls, got Conv2d\(1, 1"):
        maximise_activation(model, model.unused, [0], (1, 4, 4))


@pytest.mark.parametrize(
    ("name", "got"), [("pair", "no tensor of 'pair'"), ("flat", r"\(16,\) of 'flat'")]
)
def test_layer_without_channels_is_refused(name, got):
    model = Detour()
    with pytest.raises(ValueError, match=rf"\(1, D\), \(1, D, h, w\).* for one image, got {got}"):
        maximise_activation(model, model.get_submodule(name), [0], (1, 4, 4))


def test_weights_for_many_passes_are_equal_and_leave_the_network_as_it_is():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=2), nn.Flatten())
    before = model[2].weight
    weights = convolution_weights(model, "cpu")
    assert weights.keys() == {"0.weight", "2.weight"}
    assert all(weight.equal(model.state_dict()[name]) for name, weight in weights.items())
    assert not any(weight.requires_grad for weight in weights.values())
    assert weights["0.weight"].stride() == (9, 1, 3, 1)  # else the first map is not channels last
    assert model[2].weight is before
    with torch.autocast("cpu", torch.bfloat16):
        halved = convolution_weights(model, "cpu")["2.weight"]
    assert halved.equal(before.bfloat16())
