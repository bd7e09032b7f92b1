"""Stages of the networks of timm and torchvision, on the meta device: only shapes are computed."""

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from models import ImageClassifier, TimmBackbone, TorchvisionBackbone
from models.freezing import ordered_parameters, position_of

# Smallest member of a family: side of the image, number of stages.
TORCHVISION = {
    "alexnet": (64, 6),
    "convnext_tiny": (64, 8),
    "densenet121": (64, 8),
    "efficientnet_b0": (64, 9),
    "efficientnet_v2_s": (64, 8),
    "googlenet": (64, 12),
    "inception_v3": (75, 16),
    "maxvit_t": (224, 6),
    "mnasnet0_5": (64, 10),
    "mobilenet_v2": (64, 19),
    "mobilenet_v3_small": (64, 14),
    "regnet_x_400mf": (64, 5),
    "regnet_y_400mf": (64, 5),
    "resnet18": (64, 5),
    "resnext50_32x4d": (64, 5),
    "shufflenet_v2_x0_5": (64, 5),
    "squeezenet1_0": (64, 9),
    "swin_t": (64, 8),
    "swin_v2_t": (64, 8),
    "vgg11": (64, 9),
    "vgg11_bn": (64, 9),
    "vit_b_32": (224, 13),
    "wide_resnet50_2": (64, 5),
}
TIMM = {
    "beit_base_patch16_224": (224, 13),
    "convnext_atto": (64, 5),
    "crossvit_tiny_240": (240, 4),
    "cspdarknet53": (64, 6),
    "davit_tiny": (64, 5),
    "deit_tiny_distilled_patch16_224": (224, 13),
    "densenet121": (64, 5),
    "dla34": (64, 7),
    "dpn48b": (64, 5),
    "edgenext_xx_small": (64, 5),
    "efficientformer_l1": (224, 5),
    "efficientnet_b0": (64, 8),
    "efficientvit_b0": (64, 6),
    "eva02_tiny_patch14_224": (224, 13),
    "focalnet_tiny_srf": (64, 5),
    "ghostnet_050": (64, 11),
    "hgnetv2_b0": (64, 6),
    "hrnet_w18_small": (64, 6),
    "inception_v3": (96, 13),
    "levit_128s": (224, 4),
    "maxvit_pico_rw_256": (256, 5),
    "mixer_s32_224": (224, 9),
    "mnasnet_small": (64, 8),
    "mobilenetv2_050": (64, 8),
    "mobilenetv3_small_050": (64, 8),
    "mobilevit_xxs": (64, 6),
    "mvitv2_tiny": (224, 5),
    "nest_tiny": (224, 4),
    "nfnet_f0": (64, 5),
    "pit_ti_224": (224, 4),
    "poolformer_s12": (64, 5),
    "pvt_v2_b0": (64, 5),
    "rdnet_tiny": (64, 8),
    "regnety_002": (64, 5),
    "repvgg_a0": (64, 5),
    "res2net50_14w_8s": (64, 5),
    "resmlp_12_224": (224, 13),
    "resnet18": (64, 5),
    "resnetv2_18": (64, 5),
    "rexnet_100": (64, 18),
    "seresnet18": (64, 5),
    "swin_tiny_patch4_window7_224": (224, 5),
    "swinv2_cr_tiny_224": (224, 5),
    "tf_efficientnetv2_b0": (64, 7),
    "tiny_vit_5m_224": (64, 5),
    "twins_svt_small": (224, 5),
    "vgg11_bn": (64, 9),
    "visformer_tiny": (224, 16),
    "vit_tiny_patch16_224": (224, 13),
    "vovnet39a": (64, 5),
    "xception41": (64, 14),
}
NEEDS_DATA = {"regnet_x_400mf", "regnet_y_400mf"}  # torchvision computes their widths as tensors
CASES = [
    *(
        pytest.param(TorchvisionBackbone, n, *case, id=f"torchvision-{n}")
        for n, case in TORCHVISION.items()
    ),
    *(pytest.param(TimmBackbone, n, *case, id=f"timm-{n}") for n, case in TIMM.items()),
]


class FirstUse(TorchFunctionMode):
    """Record the order in which the parameters of a network are used first."""

    def __init__(self, network):
        super().__init__()
        self.unused = {id(parameter): name for name, parameter in network.named_parameters()}
        self.order = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        reads_attribute = func.__name__ == "__get__"  # such as the shape
        for value in () if reads_attribute else tree_leaves((args, kwargs)):
            if isinstance(value, nn.Parameter) and id(value) in self.unused:
                self.order.append(self.unused.pop(id(value)))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("make", "name", "side", "num_stages"), CASES)
def test_stages_are_in_the_order_of_the_forward_pass(make, name, side, num_stages):
    with torch.device("cpu" if name in NEEDS_DATA else "meta"):
        backbone = make(name).to("meta").eval()
    use = FirstUse(backbone)
    with torch.no_grad(), use:
        features = backbone(torch.empty(2, 3, side, side, device="meta"))
    assert features.shape == (2, backbone.num_features)
    stages = backbone.stages()
    assert len(stages) == num_stages
    stage_of = {parameter: i for i, names in enumerate(stages.values()) for parameter in names}
    used = [stage_of[parameter] for parameter in use.order]
    assert used == sorted(used)
    assert sorted(stage_of) == sorted(name for name, _ in backbone.named_parameters())
    assert len(stage_of) == sum(map(len, stages.values()))
    assert not use.unused
    check_boundaries(backbone, stages)


def check_boundaries(backbone, stages):
    with torch.device("meta"):
        classifier = ImageClassifier(backbone, num_classes=2)
    positions = [position_of(name, classifier) for name in stages]
    assert positions[0] == 0
    assert positions == sorted(set(positions))
    ordered = ordered_parameters(classifier)
    for name, position in zip(stages, positions, strict=True):
        first = next(i for i, n in enumerate(ordered) if n.startswith(f"network.{name}."))
        assert first == position


def test_class_token_belongs_to_the_stem_even_if_it_is_used_late():
    with torch.device("meta"):
        stages = TimmBackbone("xcit_nano_12_p16_224").stages()
    assert "network.cls_token" in stages["patch_embed"]
    assert list(stages)[-2:] == ["cls_attn_blocks.0", "cls_attn_blocks.1"]


def test_norm_belongs_to_the_layer_before_it():
    with torch.device("meta"):
        stages = TorchvisionBackbone("vgg11_bn").stages()
    assert stages["features.4"] == [
        f"network.features.{layer}.{name}" for layer in (4, 5) for name in ("weight", "bias")
    ]
