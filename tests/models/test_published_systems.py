"""Sizes of the published systems, built from the classes that YAML names."""

import pytest
import torch

from models import MLP, Head, ImageClassifier, PlainCNN, ResNet, TorchvisionBackbone
from models.backbones.parameter_budget import count_parameters


def simpsons_head(num_features, num_classes):
    return Head(
        num_features, num_classes, (1024,), activation="prelu", norm="batch", dropout=(0, 0.25)
    )


def faces_head(num_features, num_classes):
    return Head(num_features, num_classes, norm="batch", norm_logits=True)


SYSTEMS = {
    "simpsons_resnet152": (
        lambda: TorchvisionBackbone("resnet152"),
        50,
        simpsons_head,
        472,
        60_295_283,
    ),
    "simpsons_resnext101": (
        lambda: TorchvisionBackbone("resnext101_32x8d"),
        20,
        Head,
        314,
        86_783_316,
    ),
    "scenes_resnet50": (ResNet, 6, Head, 161, 23_520_326),
    "faces_cnn": (lambda: PlainCNN(num_channels=1), 7, faces_head, 20, 2_207_893),
    "faces_mlp": (lambda: MLP(num_channels=1), 7, faces_head, 16, 2_237_973),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_published_system_has_its_published_size(name):
    make_backbone, num_classes, head, num_tensors, num_parameters = SYSTEMS[name]
    with torch.device("meta"):
        classifier = ImageClassifier(make_backbone(), num_classes, head)
    assert len(list(classifier.parameters())) == num_tensors
    assert count_parameters(classifier) == num_parameters
