import pytest
import torch
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import nn


def spread(model):
    """Weights large enough that attention is not uniform, in double precision."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model.double().eval().requires_grad_(False)  # a frozen network can be explained, too


@pytest.fixture
def tiny_vit():
    def make(**options):
        sizes = {"img_size": 8, "patch_size": 4, "in_chans": 1, "num_classes": 3}
        return spread(
            VisionTransformer(**sizes, embed_dim=8, depth=2, num_heads=2, mlp_ratio=2, **options)
        )

    return make


@pytest.fixture
def tiny_swin():
    """Two stages; at 40 pixels, windows of 4 do not divide the 10 positions, and neither do 5."""

    def make(size=40):
        return spread(
            SwinTransformer(
                img_size=size, patch_size=4, in_chans=1, num_classes=3, embed_dim=4,
                depths=(2, 2), num_heads=(1, 2), window_size=4, mlp_ratio=2,
            )
        )  # fmt: skip

    return make
