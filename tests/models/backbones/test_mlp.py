import pytest
import torch
from torch import nn

from models import MLP, Head
from models.backbones.parameter_budget import count_parameters


def test_published_face_network_is_built_exactly():
    backbone = MLP(num_channels=1)
    network = nn.Sequential(backbone, Head(512, 7, norm="batch", norm_logits=True))
    assert count_parameters(network) == 2_237_973
    buffers = dict(network.named_buffers())
    statistics = [b for name, b in buffers.items() if name.endswith(("_mean", "_var"))]
    assert sum(b.numel() for b in statistics) == 4_110
    assert network(torch.rand(2, 1, 48, 48)).shape == (2, 7)


def test_layer_is_linear_norm_relu_dropout():
    layers = MLP().layers
    kinds = [type(module).__name__ for module in layers[1]]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert [layer[3].p for layer in layers] == [0.25, 0.5, 0.5]


def test_order_of_the_pixels_does_not_matter():
    """If the pixels and the weights are permuted alike, the features stay the same."""
    backbone, order = (
        MLP((8, 5), dropout=0, num_channels=1, image_size=6).eval(),
        torch.randperm(36),
    )
    images = torch.rand(2, 1, 6, 6)
    features = backbone(images)
    linear = backbone.layers[0][0]
    linear.weight.data = linear.weight.data[:, order]
    shuffled = images.flatten(2)[:, :, order].view_as(images)
    torch.testing.assert_close(backbone(shuffled), features)


def test_stages_run_from_input_to_output():
    assert list(MLP().stages()) == ["layer1", "layer2", "layer3"]


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"built for images of 48 x 48 pixels, got 32 x 32"):
        MLP()(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize("widths", [(), (4, 0)])
def test_layer_without_units_is_refused(widths):
    with pytest.raises(ValueError, match="widths of one layer or more, each 1 or more"):
        MLP(widths, dropout=0)
