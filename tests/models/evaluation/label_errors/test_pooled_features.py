import pytest
import timm
import torch
from torch import nn

from models import MLP, SmallCNN, TorchvisionBackbone
from models.evaluation.label_errors import pooled_features, pooled_layers


class Chain(nn.Module):
    """A convolution that doubles, one that negates, and the sum of all positions."""

    def __init__(self):
        super().__init__()
        self.first, self.relu = nn.Conv2d(1, 1, 1, bias=False), nn.ReLU()
        self.second = nn.Conv2d(1, 1, 1, bias=False)
        self.first.weight.data.fill_(2.0)
        self.second.weight.data.fill_(-1.0)

    def forward(self, images):
        return self.second(self.relu(self.first(images))).sum(dim=(2, 3))


def test_each_layer_gives_mean_and_maximum_and_the_output_comes_last():
    network, images = Chain(), torch.arange(16.0).view(1, 1, 4, 4)
    layers = pooled_layers(network, images)
    assert layers == ["relu", "second"]  # the activation, not the convolution before it
    found = pooled_features(network, images, layers)
    # With one channel a vector of length 1 is its sign; the maximum of -2 x is -0.
    assert found.tolist() == [[1.0, 1.0, -1.0, 0.0, -1.0]]


def test_each_vector_has_length_one():
    network, images = SmallCNN(8, 1).eval(), torch.rand(3, 1, 32, 32)
    layers = pooled_layers(network, images)
    assert layers == ["blocks.block1", "blocks.block2", "blocks.block3"]
    found = pooled_features(network, images, layers)
    widths = [8, 8, 16, 16, 32, 32, 32]
    lengths = torch.stack([vector.norm(dim=1) for vector in found.split(widths, dim=1)])
    assert torch.allclose(lengths, torch.ones_like(lengths))


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "test_resnet", "test_efficientnet"])
def test_every_family_of_networks_has_layers(name):
    network = timm.create_model(name).eval()
    images = torch.rand(2, 3, 160, 160)
    layers = pooled_layers(network, images)
    assert 4 <= len(layers) <= 12
    assert pooled_features(network, images, layers).isfinite().all()
    assert not any(module._forward_hooks for module in network.modules())


def test_deep_network_gives_layers_from_its_first_to_its_last():
    network = TorchvisionBackbone("squeezenet1_0").eval()
    layers = pooled_layers(network, torch.rand(1, 3, 64, 64))
    assert layers[0] == "network.features.2"  # the pooling after the first convolution
    assert "network.features.12" in layers[-1] or layers[-1].startswith("network.classifier")


def test_network_without_feature_maps_gives_its_output():
    network = MLP(image_size=8, num_channels=1).eval()
    images = torch.rand(2, 1, 8, 8)
    assert pooled_layers(network, images) == []
    assert pooled_features(network, images, []).shape == (2, network.num_features)


def test_hooks_are_gone_after_an_error():
    network = SmallCNN(8, 1).eval()
    with pytest.raises(RuntimeError):
        pooled_features(network, torch.rand(1, 3, 32, 32), ["blocks.block1"])
    assert not any(module._forward_hooks for module in network.modules())
