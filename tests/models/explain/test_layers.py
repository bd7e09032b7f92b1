import pytest
import timm
from torch import nn

from models import ImageClassifier, SmallCNN, TimmBackbone
from models.explain import NothingToShow, find_layer, find_layers, short_name


@pytest.fixture(scope="module")
def resnet():
    return timm.create_model("test_resnet")


@pytest.fixture(scope="module")
def classifier():
    return ImageClassifier(TimmBackbone("test_vit"), 3)


def test_word_convolutions_matches_all_of_them_in_order(resnet):
    names = find_layers(resnet, ["convolutions"])
    assert names == [n for n, m in resnet.named_modules() if isinstance(m, nn.Conv2d)]
    assert names[:2] == ["conv1.0", "conv1.3"]


def test_network_without_convolutions_is_an_error():
    with pytest.raises(NothingToShow, match="no convolution"):
        find_layers(nn.Linear(3, 2), ["convolutions"])


def test_word_convolutions_and_names_can_be_combined(classifier):
    names = find_layers(classifier, ["head", "convolutions"])
    assert names == ["backbone.network.patch_embed.proj", "head"]


def test_patterns_match_layers_at_any_depth(resnet):
    assert find_layers(resnet, ["layer?.0.conv1", "layer1.0.bn1"]) == [
        "layer1.0.conv1",
        "layer1.0.bn1",
        *[f"layer{stage}.0.conv1" for stage in (2, 3, 4)],
    ]


def test_short_name_is_without_the_common_path(classifier):
    assert short_name(classifier, "backbone.network.patch_embed.proj") == "patch_embed.proj"
    assert short_name(classifier, "head") == "head"
    assert short_name(ImageClassifier(SmallCNN(8), 3), "backbone.blocks.block1.conv") == (
        "block1.conv"
    )


def test_short_name_does_not_begin_with_a_number(classifier):
    assert short_name(classifier, "backbone.network.blocks.2") == "blocks.2"
    assert short_name(nn.Sequential(nn.Linear(1, 1)), "0") == "0"


def test_layer_is_found_by_its_short_name(classifier):
    for name, _ in classifier.named_modules():
        if name:
            assert find_layer(classifier, short_name(classifier, name)) == name


def test_unknown_layer_is_an_error_with_near_names(resnet):
    with pytest.raises(ValueError, match=r"no layer 'layer9'. Near names: layer4"):
        find_layers(resnet, ["layer9"])


def test_pattern_that_matches_several_layers_is_an_error_for_one(resnet):
    with pytest.raises(
        ValueError, match=r"Expected one layer, but 'layer\?' matches 4: layer1, layer2"
    ):
        find_layer(resnet, "layer?")
