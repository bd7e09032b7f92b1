import pytest
import torch
from torch import nn

from models import MLP, Head, PlainCNN, SmallCNN, TimmBackbone, TorchvisionBackbone
from models.explain import NothingToShow
from models.explain.activation_maximisation import (
    Detector,
    activated_detectors,
    find_detectors,
)

FAMILIES = [
    (
        lambda: PlainCNN((4, 8, 8), (8,), num_channels=3, image_size=64),
        [(f"blocks.block{n}.conv", f"blocks.block{n}.relu") for n in (1, 2, 3)],
    ),
    (
        lambda: SmallCNN(8),
        [(f"blocks.block{n}.conv", f"blocks.block{n}.relu") for n in (1, 2, 3)],
    ),
    (
        lambda: TorchvisionBackbone("resnet18"),
        [
            ("network.conv1", "network.relu"),
            ("network.layer3.0.conv1", "network.layer3.0.relu"),
            ("network.layer4.1.conv2", "network.layer4.1.bn2"),
        ],
    ),
    (
        lambda: MLP((12, 10, 8), num_channels=3, image_size=64),
        [(f"layers.layer{n}.0", f"layers.layer{n}.2") for n in (1, 2, 3)],
    ),
]


@pytest.mark.parametrize(("make", "names"), FAMILIES)
def test_first_middle_and_last_convolution_with_their_activations(make, names):
    model = make().eval()
    assert find_detectors(model, torch.rand(2, 3, 64, 64)) == [Detector(*pair) for pair in names]


def test_vit_has_one_convolution_and_units_of_its_blocks():
    model = TimmBackbone("test_vit").eval()
    assert find_detectors(model, torch.rand(1, 3, 160, 160)) == [
        Detector("network.patch_embed.proj", "network.patch_embed.proj"),
        Detector("network.blocks.2.mlp.fc1", "network.blocks.2.mlp.act"),
        Detector("network.blocks.5.mlp.fc1", "network.blocks.5.mlp.act"),
    ]


def test_named_layers_have_the_norm_and_activation_that_follow_them():
    model = TorchvisionBackbone("resnet18").eval()
    pairs = {
        "conv1": "relu",
        "layer1.0.bn1": "layer1.0.relu",
        "layer1.0.conv2": "layer1.0.bn2",  # the shortcut is added before the ReLU
        "layer1": "layer1",
        "relu": "relu",
    }
    expected = [Detector(f"network.{name}", f"network.{out}") for name, out in pairs.items()]
    names = [detector.name for detector in expected]
    assert activated_detectors(model, torch.rand(2, 3, 64, 64), names) == expected


def test_small_network_has_fewer_detectors():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2))
    assert find_detectors(model, torch.rand(1, 1, 8, 8)) == [Detector("0", "1")]


def test_linear_classifier_is_an_error():
    with pytest.raises(NothingToShow, match="no convolution, and no linear layer with activation"):
        find_detectors(nn.Sequential(nn.Flatten(), Head(16, 3)), torch.rand(1, 1, 4, 4))


def test_inference_mode_works_and_no_hook_is_left():
    model = SmallCNN(8).eval()
    with torch.inference_mode():
        find_detectors(model, torch.rand(1, 3, 16, 16))
    assert not any(module._forward_hooks for module in model.modules())
