import pytest
import torch

from models import MLP, PlainCNN, ResNet, SmallCNN, TimmBackbone, TorchvisionBackbone
from models.backbones.backbone import Normalize

MAKERS = {
    "mlp": lambda channels: MLP((8, 4), 0.1, num_channels=channels, image_size=32),
    "plain_cnn": lambda channels: PlainCNN((4, 8), (6,), 0.1, None, channels, image_size=32),
    "resnet": lambda channels: ResNet((1, 1), num_channels=channels),
    "resnet_without_norm": lambda channels: ResNet((1, 1), "none", 0.1, channels),
    "small_cnn": lambda channels: SmallCNN(4, channels),
    "timm_resnet": lambda channels: TimmBackbone("test_resnet", num_channels=channels),
    "timm_convnext": lambda channels: TimmBackbone("test_convnext", num_channels=channels),
    "timm_efficientnet": lambda channels: TimmBackbone("test_efficientnet", num_channels=channels),
    "timm_vit": lambda channels: TimmBackbone("test_vit", num_channels=channels, image_size=32),
    "timm_resnet18": lambda channels: TimmBackbone("resnet18", num_channels=channels),
    "torchvision_squeezenet": lambda c: TorchvisionBackbone("squeezenet1_1", num_channels=c),
    "torchvision_shufflenet": lambda c: TorchvisionBackbone("shufflenet_v2_x0_5", num_channels=c),
    "torchvision_mobilenet": lambda c: TorchvisionBackbone("mobilenet_v3_small", num_channels=c),
}


@pytest.fixture(params=MAKERS, scope="module")
def make_backbone(request):
    return MAKERS[request.param]


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_colour_images_become_features(make_backbone, channels):
    backbone = make_backbone(channels).eval()
    features = backbone(torch.rand(2, channels, 32, 32))
    assert features.shape == (2, backbone.num_features)
    assert features.isfinite().all()


def test_stages_run_from_input_to_output():
    stages = list(TimmBackbone("resnet18").stages())
    assert stages == ["conv1", "layer1", "layer2", "layer3", "layer4"]
    assert list(SmallCNN().stages()) == ["block1", "block2", "block3"]


def test_normalize_subtracts_and_divides_by_channel():
    images = torch.rand(2, 3, 4, 4)
    normalized = Normalize((0.1, 0.2, 0.3), (0.5, 0.6, 0.7), num_channels=3)(images)
    torch.testing.assert_close(normalized[:, 1], (images[:, 1] - 0.2) / 0.6)


def test_normalize_uses_the_average_for_grey_images():
    grey = Normalize((0.1, 0.2, 0.3), (0.5, 0.6, 0.7), num_channels=1)
    torch.testing.assert_close(grey(torch.ones(1, 1, 1, 1)).item(), (1 - 0.2) / 0.6)


def test_normalization_is_not_in_the_state_dict():
    assert not [name for name in SmallCNN().state_dict() if "normalize" in name]


def test_timm_backbone_has_the_mean_of_its_weights():
    backbone = TimmBackbone("vit_tiny_patch16_224", image_size=32)
    assert backbone.normalize.mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_unknown_timm_network_is_refused_with_near_names():
    with pytest.raises(ValueError, match=r"no network 'resnet19'; near names: .*resnet18"):
        TimmBackbone("resnet19")


def test_unknown_torchvision_network_is_refused_with_near_names():
    with pytest.raises(ValueError, match=r"no classification network 'resnet19'; near.*resnet18"):
        TorchvisionBackbone("resnet19")


def test_old_name_for_which_timm_builds_another_network_is_refused():
    message = "'ig_resnext101_32x48d' any more: for this name it builds resnext101_32x8d.fb_wsl"
    with pytest.raises(ValueError, match=message):
        TimmBackbone("ig_resnext101_32x48d")


@pytest.mark.parametrize("size", [None, 96, 160])
def test_networks_built_for_one_image_size_are_built_for_the_given_one(size):
    images = torch.rand(1, 3, size or 160, size or 160)  # timm builds both for 160
    for name in ("test_resnet", "test_vit"):
        assert TimmBackbone(name, image_size=size).eval()(images).shape[0] == 1
