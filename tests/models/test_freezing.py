"""Trainable parameters of the published unfreezing schedules."""

import pytest
import torch

from models import Head, ImageClassifier, TorchvisionBackbone
from models.freezing import freeze_before, position_of, share_free

S0 = {
    "head": 2_151_475,
    "layer4": 17_116_211,
    "layer3.27.bn1.weight": 26_908_723,
    "layer3.18.bn1.weight": 36_963_379,
    "layer3.9.bn1.weight": 47_018_035,
    "layer3": 57_730_099,
    "layer2": 60_069_939,
    "layer1": 60_285_747,
}


def trainable(classifier):
    return sum(p.numel() for p in classifier.parameters() if p.requires_grad)


@pytest.fixture(scope="module")
def resnet152():
    with torch.device("meta"):
        backbone = TorchvisionBackbone("resnet152")

        def head(features, classes):
            return Head(features, classes, (1024,), "prelu", "batch", 0.25)

        return ImageClassifier(backbone, 50, head)


def test_resnet152_of_s0_has_its_parameters(resnet152):
    assert sum(parameter.numel() for parameter in resnet152.parameters()) == 60_295_283
    assert len(list(resnet152.parameters())) == 472


@pytest.mark.parametrize("boundary", S0)
def test_boundary_of_s0_gives_the_published_number_of_trainable_parameters(resnet152, boundary):
    freeze_before(boundary, resnet152)
    assert trainable(resnet152) == S0[boundary]


def test_frozen_norms_are_those_whose_parameters_are_frozen(resnet152):
    norms = freeze_before("layer3.27.bn1.weight", resnet152)
    frozen = {name for name, module in resnet152.named_modules() if module in set(norms)}
    assert "backbone.network.layer3.26.bn3" in frozen
    assert "backbone.network.layer3.27.bn1" not in frozen


def test_boundary_of_s1_gives_the_published_number_of_trainable_parameters():
    with torch.device("meta"):
        classifier = ImageClassifier(TorchvisionBackbone("resnext101_32x8d"), 20)
    freeze_before("layer4.0.conv1.weight", classifier)
    total = sum(parameter.numel() for parameter in classifier.parameters())
    assert (total, trainable(classifier)) == (86_783_316, 28_786_708)


def test_stages_modules_and_parameters_name_the_same_boundary(resnet152):
    names = ("layer4", "layer4.0", "layer4.0.conv1", "layer4.0.conv1.weight")
    names += tuple(f"network.{name}" for name in names)
    assert len({position_of(name, resnet152) for name in names}) == 1


def test_share_of_a_partly_frozen_stage(resnet152):
    shares = share_free("layer3.18.bn1.weight", resnet152)
    assert (shares["head"], shares["layer4"], shares["layer2"]) == (1, 1, 0)
    free = S0["layer3.18.bn1.weight"] - S0["layer4"]
    assert shares["layer3"] == pytest.approx(free / (S0["layer3"] - S0["layer4"]))


def test_near_names_are_listed(resnet152):
    with pytest.raises(ValueError, match=r"called 'layr4'. Near names: layer4"):
        position_of("layr4", resnet152)
