"""The last feature map is found in every family of networks, and Grad-CAM explains it."""

import pytest
import timm
import torch
import torchvision
from torch import nn
from torchvision.models.convnext import CNBlockConfig

from models.explain import grad_cam, last_feature_map

SHORT = {"depths": (1, 1, 1, 1)}
NARROW = {"embed_dim": 24, "num_heads": (1, 2, 3, 4), **SHORT}


def small_vgg11(num_classes):
    """VGG-11 with one linear layer instead of three, which have 124 million parameters."""
    with torch.device("meta"):
        model = torchvision.models.vgg11()
    model.classifier = nn.Linear(512 * 7 * 7, num_classes)
    model.features.to_empty(device="cpu")
    for layer in model.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model


def small_convnext(num_classes):
    sizes = [(24, 48), (48, 96), (96, 192), (192, None)]
    blocks = [CNBlockConfig(width, after, num_layers=1) for width, after in sizes]
    return torchvision.models.ConvNeXt(blocks, num_classes=num_classes)


def small_swin(num_classes):
    return torchvision.models.SwinTransformer(
        [4, 4], 24, [1, 1, 1, 1], [1, 2, 3, 4], [7, 7], num_classes=num_classes
    )


def small_vit(num_classes):
    return torchvision.models.VisionTransformer(96, 16, 2, 2, 48, 96, num_classes=num_classes)


TIMM = {  # options that make them small, and the size of the images
    "resnet18": ({}, 128),
    "seresnet18": ({}, 128),
    "densenet121": ({"block_config": (2, 2, 2, 2)}, 128),
    "test_convnext": ({}, 128),
    "convnextv2_atto": (SHORT, 128),
    "test_efficientnet": ({}, 128),
    "mobilenetv2_050": ({}, 128),
    "mobilenetv3_small_050": ({}, 128),
    "mobilenetv4_conv_small": ({}, 128),
    "regnetx_002": ({}, 128),
    "regnety_002": ({}, 128),
    "ghostnet_050": ({}, 128),
    "mnasnet_050": ({}, 128),
    "lcnet_050": ({}, 128),
    "test_nfnet": ({}, 128),
    "repvgg_a0": ({}, 128),
    "mobilevit_xxs": ({}, 128),
    "poolformer_s12": ({}, 128),
    "test_mambaout": ({}, 160),
    "test_vit": ({}, 160),
    "deit_tiny_distilled_patch16_224": ({"depth": 2, "img_size": 96}, 96),
    "vit_small_patch14_reg4_dinov2": (
        {"depth": 2, "embed_dim": 48, "num_heads": 2, "img_size": 98},
        98,
    ),
    "beit_base_patch16_224": (
        {"depth": 2, "embed_dim": 48, "num_heads": 2, "img_size": 96},
        96,
    ),
    "swin_tiny_patch4_window7_224": (NARROW, 224),
    "test_maxvit": ({}, 160),
    "mixer_s32_224": ({}, 224),
    "pvt_v2_b0": (SHORT, 128),
    "davit_tiny": (SHORT, 128),
}
TORCHVISION = {  # the same, or what builds a small one
    "resnet18": ({}, 128),
    "densenet121": ({}, 128),
    "efficientnet_b0": ({}, 128),
    "mobilenet_v2": ({}, 128),
    "squeezenet1_1": ({}, 128),
    "vgg11": (small_vgg11, 64),
    "shufflenet_v2_x0_5": ({}, 128),
    "convnext_tiny": (small_convnext, 128),
    "swin_t": (small_swin, 128),
    "vit_b_16": (small_vit, 96),
}
NETWORKS = [("timm", name) for name in TIMM] + [("torchvision", name) for name in TORCHVISION]


def build(library, name):
    """The network in eval mode, its classifier not zero, and the size of its images."""
    torch.manual_seed(0)
    options, size = (TIMM if library == "timm" else TORCHVISION)[name]
    make = timm.create_model if library == "timm" else torchvision.models.get_model
    model = options(5) if callable(options) else make(name, num_classes=5, **options)
    for parameter in model.parameters():  # untrained ones of some families are all zero
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return model.eval(), size


@pytest.mark.parametrize(("library", "name"), NETWORKS)
def test_last_map_is_found_and_explained_at_the_size_of_the_images(library, name):
    model, size = build(library, name)
    images = torch.rand(2, 3, size, size)
    layer, to_map = last_feature_map(model, images)
    maps = [
        grad_cam(model, model.get_submodule(layer), images, torch.tensor(classes), to_map)
        for classes in ([0, 1], [2, 3])
    ]
    assert all(map_.shape == (2, size, size) for map_ in maps)
    assert torch.stack(maps).amax() == 1  # at least one of four classes has evidence
    assert torch.stack(maps).amin() >= 0


def test_last_map_of_vgg_is_the_pooled_one():
    model, _ = build("torchvision", "vgg11")
    assert last_feature_map(model, torch.rand(1, 3, 128, 128))[0] == "avgpool"
