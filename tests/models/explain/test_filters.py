import pytest
import timm
import torch
from torch import nn

from models import MLP, SmallCNN
from models.explain import filter_layers, filters_of
from models.explain.filters import takes_images


@pytest.fixture(scope="module")
def resnet():
    return timm.create_model("test_resnet")


def convolution(*args, **options):
    torch.manual_seed(0)
    return nn.Conv2d(*args, **options)


def test_first_convolution_is_the_default():
    assert filter_layers(SmallCNN(8)) == ["blocks.block1.conv"]
    assert filter_layers(timm.create_model("test_vit")) == ["patch_embed.proj"]


def test_without_convolutions_the_first_linear_layer_is_the_default():
    assert filter_layers(MLP((4,), 0.0, image_size=4)) == ["layers.layer1.0"]


def test_network_without_weights_has_no_filters():
    with pytest.raises(ValueError, match="no layer whose filters could be shown"):
        filter_layers(nn.Sequential(nn.Flatten(), nn.ReLU()))


def test_layers_without_filters_are_left_out_of_a_pattern(resnet):
    names = filter_layers(resnet, ["layer1.*", "fc"])
    assert names[:2] == ["layer1.0.conv1", "layer1.0.conv2"]
    assert names[-1] == "fc"
    assert all(hasattr(resnet.get_submodule(name), "weight") for name in names)
    assert "layer1.0.bn1" not in names


def test_layer_without_filters_is_an_error(resnet):
    with pytest.raises(ValueError, match=r"'bn1' is a layer without filters \(BatchNorm2d\)"):
        filter_layers(resnet, ["bn1"])


def test_error_for_a_module_lists_its_convolutions(resnet):
    with pytest.raises(ValueError, match=r"\(Sequential\).*such as layer2.0.conv1, layer2.0.conv2"):
        filter_layers(resnet, ["layer2"])


def test_filters_of_rgb_images_have_colours():
    layer = convolution(3, 8, 5)
    filters = filters_of(layer, num_filters=6)
    assert filters.shape == (6, 5, 5, 3)
    torch.testing.assert_close(filters[2, 0, 1], layer.weight[2, :, 0, 1])


def test_other_filters_are_shown_by_an_input_channel():
    layer = convolution(4, 8, 3)
    torch.testing.assert_close(filters_of(layer), layer.weight[:, 0])
    torch.testing.assert_close(filters_of(layer, channel=3), layer.weight[:, 3])


def test_norm_is_over_input_channels():
    layer = convolution(2, 1, 3)
    nn.init.constant_(layer.weight[:, 0], 3)
    nn.init.constant_(layer.weight[:, 1], -4)
    torch.testing.assert_close(filters_of(layer, channel="norm"), torch.full((1, 3, 3), 5.0))


def test_unknown_channel_is_an_error():
    with pytest.raises(ValueError, match=r"Expected a channel below 4, .* or 'norm', got 4"):
        filters_of(convolution(4, 8, 3), channel=4)


def test_depthwise_filters_have_one_channel_each():
    layer = convolution(3, 3, 7, groups=3)
    torch.testing.assert_close(filters_of(layer), layer.weight[:, 0])


def test_three_channels_of_a_group_are_not_colours():
    layer = convolution(6, 4, 3, groups=2)
    torch.testing.assert_close(filters_of(layer, channel=2), layer.weight[:, 2])


def test_filters_of_one_position_are_a_matrix():
    layer = convolution(3, 5, 1)  # even if it sees three channels
    torch.testing.assert_close(filters_of(layer, num_filters=4), layer.weight[:4, :, 0, 0])
    linear = nn.Linear(6, 5)
    torch.testing.assert_close(filters_of(linear, channel=9), linear.weight)


def test_filters_of_a_linear_layer_on_pixels_are_images():
    layer = nn.Linear(3 * 4 * 5, 2)
    filters = filters_of(layer, image_shape=(3, 4, 5))
    images = torch.rand(1, 3, 4, 5)
    by_filter = (filters.movedim(-1, 1) * images).sum(dim=(1, 2, 3))
    torch.testing.assert_close(by_filter, layer(images.flatten(1))[0] - layer.bias)


def test_filters_of_a_linear_patch_embedding_are_patches():
    layer = nn.Linear(2 * 2 * 3, 4)
    patch = torch.rand(2, 2, 3)
    by_filter = (filters_of(layer, image_shape=(3, 8, 8)) * patch).sum(dim=(1, 2, 3))
    torch.testing.assert_close(by_filter, layer(patch.flatten()) - layer.bias)


def test_filters_of_a_deeper_linear_layer_are_a_matrix():
    assert filters_of(nn.Linear(64, 4)).shape == (4, 64)
    assert filters_of(nn.Linear(7, 4), image_shape=(3, 8, 8)).shape == (4, 7)


def test_first_layer_with_filters_takes_the_images():
    network = MLP((8, 4), 0.0, image_size=4)
    assert takes_images(network, "layers.layer1.0")
    assert not takes_images(network, "layers.layer2.0")


def test_initial_weights_are_subtracted():
    layer = convolution(2, 4, 3)
    initial = layer.weight.detach().clone()
    assert not filters_of(layer, initial=initial).any()
    layer(torch.rand(1, 2, 5, 5)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    torch.testing.assert_close(filters_of(layer, initial=initial), -0.1 * layer.weight.grad[:, 0])


def test_half_precision_becomes_float32():
    assert filters_of(convolution(3, 4, 3, dtype=torch.bfloat16)).dtype == torch.float32
