"""The layer to explain is found in every family of networks, and its maps cover the image."""

import pytest
import timm
import torch
import torchvision

from models.explain import grad_cam, last_feature_map

SHORT = {"depths": (1, 1, 1, 1)}
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
    "swin_tiny_patch4_window7_224": (
        {"depths": (1, 1, 1, 1), "embed_dim": 24, "num_heads": (1, 2, 3, 4)},
        224,
    ),
    "test_maxvit": ({}, 160),
    "mixer_s32_224": ({}, 224),
    "pvt_v2_b0": (SHORT, 128),
    "davit_tiny": (SHORT, 128),
}
TORCHVISION = {
    "resnet18": ({}, 128),
    "densenet121": ({}, 128),
    "efficientnet_b0": ({}, 128),
    "mobilenet_v2": ({}, 128),
    "squeezenet1_1": ({}, 128),
    "vgg11": ({}, 64),
    "shufflenet_v2_x0_5": ({}, 128),
    "convnext_tiny": ({}, 128),
    "swin_t": ({}, 128),
    "vit_b_16": ({"image_size": 96}, 96),
}
NETWORKS = [("timm", name) for name in TIMM] + [("torchvision", name) for name in TORCHVISION]


def build(library, name):
    """The network in eval mode, its classifier not zero, and the size of its images."""
    torch.manual_seed(0)
    options, size = (TIMM if library == "timm" else TORCHVISION)[name]
    make = timm.create_model if library == "timm" else torchvision.models.get_model
    model = make(name, num_classes=5, **options).eval()
    for parameter in model.parameters():  # untrained ones of some families are all zero
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return model, size


@pytest.mark.parametrize(("library", "name"), NETWORKS)
def test_layer_is_found_and_its_evidence_is_on_the_image(library, name):
    model, size = build(library, name)
    images = torch.rand(2, 3, size, size)
    layer, to_map = last_feature_map(model, images)
    maps = [
        grad_cam(model, model.get_submodule(layer), images, torch.tensor(classes), to_map)
        for classes in ([0, 1], [2, 3])
    ]
    assert all(map_.shape == (2, size, size) for map_ in maps)
    assert torch.stack(maps).amax() == 1  # of four classes one at least has evidence
    assert torch.stack(maps).amin() >= 0
