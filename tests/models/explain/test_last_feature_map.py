import pytest
import timm
import torch
from torch import nn

from models import Head, TimmBackbone, TorchvisionBackbone
from models.explain import grad_cam, last_feature_map
from models.explain.map_layout import map_layout


def small_swin():
    options = {"depths": (1, 1, 1, 1), "embed_dim": 24, "num_heads": (1, 2, 3, 4)}
    return timm.create_model("swin_tiny_patch4_window7_224", num_classes=0, **options)


FAMILIES = [
    (lambda: TimmBackbone("resnet18"), 64, "0.network.layer3"),
    (lambda: TimmBackbone("test_vit"), 160, "0.network.blocks.5.norm1"),
    (lambda: TimmBackbone("test_convnext"), 160, "0.network.norm_pre"),
    (small_swin, 224, "0.norm"),
    (lambda: TorchvisionBackbone("squeezenet1_1"), 96, "0.network.classifier.2"),
]


@pytest.mark.parametrize(("make", "size", "layer"), FAMILIES)
def test_deepest_map_is_found_whatever_the_architecture(make, size, layer):
    torch.manual_seed(0)
    backbone = make()
    model = nn.Sequential(backbone, Head(backbone.num_features, 3)).eval()
    images = torch.rand(2, 3, size, size)
    name, to_map = last_feature_map(model, images)
    assert name == layer
    maps = grad_cam(model, model.get_submodule(name), images, torch.tensor([0, 1]), to_map)
    assert maps.shape == (2, size, size)


def test_vit_whose_patches_do_not_fill_the_image_is_explained_by_its_last_block():
    model = timm.create_model("vit_tiny_patch16_224", img_size=100).eval()  # six patches per side
    images = torch.rand(1, 3, 100, 100)
    name, to_map = last_feature_map(model, images)
    assert name == "blocks.11.norm1"
    assert to_map(torch.rand(1, 37, 8)).shape == (1, 8, 6, 6)


def test_on_small_images_a_larger_map_is_preferred_to_a_deeper_one():
    model = nn.Sequential(TimmBackbone("resnet18", num_channels=1), Head(512, 3)).eval()
    assert last_feature_map(model, torch.rand(2, 1, 32, 32))[0] == "0.network.layer2"


def test_network_without_a_map_is_an_error():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    with pytest.raises(ValueError, match="No layer of the network returns a feature map"):
        last_feature_map(model, torch.rand(1, 1, 4, 4))


def test_tokens_become_a_map_in_the_order_of_the_patches():
    images = torch.rand(1, 3, 32, 32)
    tokens = torch.arange(17.0).view(1, 17, 1)  # a class token and 4 x 4 patches
    to_map = map_layout(tokens, images)
    torch.testing.assert_close(to_map(tokens)[0, 0], torch.arange(1.0, 17).view(4, 4))


def test_channels_last_is_recognised():
    output = torch.rand(1, 4, 4, 96)
    to_map = map_layout(output, torch.rand(1, 3, 32, 32))
    assert to_map(output).shape == (1, 96, 4, 4)


@pytest.mark.parametrize("shape", [(1, 10), (1, 8, 1, 1), (4, 16, 8), (1, 8, 3, 7)])
def test_other_shapes_are_not_maps(shape):
    assert map_layout(torch.rand(shape), torch.rand(1, 3, 32, 32)) is None
