import pytest
import timm
import torch
from torch import nn
from torchvision.models import get_model

from models import ImageClassifier, PlainCNN, SmallCNN
from models.explain import first_middle_last

TIMM = [
    ("test_resnet", 96, ["act1", "layer2", "layer3"]),
    ("test_vit", 160, ["patch_embed", "blocks.3", "norm"]),
    ("test_convnext", 160, ["stages.0", "stages.2", "stages.3"]),
    ("test_efficientnet", 160, ["blocks.0", "blocks.2", "bn2"]),
    ("test_coatnet", 160, ["stem", "stages.1", "norm"]),
]


@pytest.mark.parametrize(("name", "size", "expected"), TIMM)
def test_layers_of_networks_of_timm(name, size, expected):
    model = timm.create_model(name).eval()
    found = first_middle_last(model, torch.rand(1, 3, size, size))
    assert list(found.values()) == expected


def test_layers_of_networks_of_torchvision():
    found = first_middle_last(get_model("squeezenet1_0").eval(), torch.rand(1, 3, 224, 224))
    assert found == {"first": "features.1", "middle": "features.10", "last": "classifier.2"}


@pytest.mark.parametrize("backbone", [SmallCNN(8, 1), PlainCNN((4, 4, 4), num_channels=1)])
def test_layers_of_our_networks_are_their_blocks(backbone):
    model = ImageClassifier(backbone, 3).eval()
    found = first_middle_last(model, torch.rand(1, 1, 48, 48))
    assert list(found.values()) == [f"backbone.blocks.block{index}" for index in (1, 2, 3)]


def test_small_maps_are_left_out_if_there_are_larger_ones():
    model = timm.create_model("resnet18").eval()
    found = first_middle_last(model, torch.rand(1, 3, 32, 32))  # layer3 has 2 x 2, layer4 one
    assert list(found.values()) == ["act1", "layer1", "layer2"]


def test_small_maps_are_used_if_there_are_no_others():
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(8, 2))
    assert first_middle_last(model, torch.rand(1, 1, 3, 3)) == {"last": "0"}


def test_layers_before_the_first_weights_are_left_out():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3)).eval()
    assert first_middle_last(model, torch.rand(1, 1, 9, 9)) == {"first": "1", "last": "2"}


def test_network_without_maps_is_an_error_and_no_hook_is_left():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    with pytest.raises(ValueError, match="No layer of the network returns a feature map"):
        first_middle_last(model, torch.rand(1, 1, 4, 4))
    assert not any(module._forward_hooks for module in model.modules())
