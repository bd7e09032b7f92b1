"""Maps equal those of captum and pytorch-grad-cam, or the published formula where those differ."""

import numpy as np
import pytest
import pytorch_grad_cam as peer
import timm
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torch.nn.functional import interpolate
from torchvision.models.resnet import Bottleneck, ResNet

from models import SmallCNN
from models.explain import (
    eigen_cam,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    score_cam,
)

SWIN = {"depths": (1, 1, 1, 1), "embed_dim": 24, "num_heads": (1, 2, 3, 4)}


def resnet():
    return timm.create_model("test_resnet", num_classes=5), "layer4", 96, None


def bottlenecks(layer="layer4"):
    """The blocks of a ResNet-50, once each. Its maps of random weights are positive everywhere."""
    return ResNet(Bottleneck, [1, 1, 1, 1], num_classes=6), layer, 96, None


def last_convolution():
    """The layer of the scenes' Grad-CAM. Its features have both signs."""
    return bottlenecks("layer4.0.conv3")


def convnext():
    return timm.create_model("test_convnext", num_classes=5), "stages", 96, None


def vgg():
    model = timm.create_model("vgg11", num_classes=5, mlp_ratio=0.1)  # else 120 million weights
    return model, "features", 64, None


def vit():
    model = timm.create_model("test_vit", num_classes=5, img_size=96)
    return model, "blocks.5.norm1", 96, lambda x: x[:, 1:].reshape(3, 6, 6, -1).permute(0, 3, 1, 2)


def swin():
    model = timm.create_model("swin_tiny_patch4_window7_224", num_classes=5, **SWIN)
    return model, "norm", 224, lambda x: x.permute(0, 3, 1, 2)


@pytest.fixture(scope="module", params=[resnet, bottlenecks, convnext, vgg, vit, swin])
def network(request):
    torch.manual_seed(0)
    model, layer, size, reshape = request.param()
    images = torch.rand(3, 3, size, size)
    with torch.no_grad():  # an untrained network has no evidence for other classes
        best, second = model.eval()(images).topk(2).indices.T
    classes = torch.stack([best[0], second[1], best[2]])
    return model, model.get_submodule(layer), images, classes, reshape


def theirs(method, model, layer, images, classes, reshape):
    """Maps of pytorch-grad-cam, scaled to [0, 1] in each image."""
    with method(model, [layer], reshape_transform=reshape) as cam:
        return torch.from_numpy(cam(images, [ClassifierOutputTarget(int(c)) for c in classes]))


def from_zero(maps):
    """Stretch maps to [0, 1] like pytorch-grad-cam, whose zero is the minimum of the map."""
    maps = maps - maps.amin(dim=(1, 2), keepdim=True)
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-30)


def near(ours, expected):
    assert expected.flatten(1).any(dim=1).sum() >= 2  # otherwise the comparison would be empty
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("network", [resnet, convnext, vgg], indirect=True)
def test_grad_cam_is_captums(network):
    model, layer, images, classes, _ = network
    small = LayerGradCam(model, layer).attribute(images, classes, relu_attributions=True)
    maps = LayerAttribution.interpolate(small, images.shape[2:], "bilinear")[:, 0].detach()
    expected = maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-30)
    near(grad_cam(model, layer, images, classes), expected)


@pytest.mark.parametrize(
    ("ours", "peers"),
    [(grad_cam, peer.GradCAM), (hires_cam, peer.HiResCAM), (layer_cam, peer.LayerCAM)],
)
def test_map_is_that_of_pytorch_grad_cam(network, ours, peers):
    model, layer, images, classes, _ = network
    near(from_zero(ours(model, layer, images, classes)), theirs(peers, *network))


PUBLISHED = {
    grad_cam: lambda features, gradient: gradient.mean(axis=(2, 3), keepdims=True) * features,
    hires_cam: lambda features, gradient: gradient * features,
    layer_cam: lambda features, gradient: np.maximum(gradient, 0) * features,
}


@pytest.mark.parametrize("ours", PUBLISHED)
@pytest.mark.parametrize("network", [bottlenecks, last_convolution], indirect=True)
def test_map_is_the_published_formula(network, ours):
    """The positive part of a sum over the channels: zero means no evidence."""
    model, layer, images, classes, _ = network
    expected = resized(PUBLISHED[ours](*captured(network)).sum(axis=1), images)
    near(ours(model, layer, images, classes), expected)


@pytest.mark.parametrize("network", [bottlenecks], indirect=True)
def test_pytorch_grad_cam_has_zeros_where_all_of_a_map_is_evidence(network):
    """It subtracts the minimum, unlike the papers; this is all that differs."""
    model, layer, images, classes, _ = network
    ours, peers = layer_cam(model, layer, images, classes), theirs(peer.LayerCAM, *network)
    assert (ours.amin(dim=(1, 2)) > 0.1).all()
    assert (peers.amin(dim=(1, 2)) == 0).all()
    near(from_zero(ours), peers)


@pytest.mark.parametrize("network", [resnet, bottlenecks, vgg], indirect=True)
def test_grad_cam_plus_plus_of_pytorch_grad_cam_has_a_constant_in_the_divisor(network):
    """It adds 1e-6, which dominates small gradients."""
    _, _, images, _, _ = network
    expected = plus_plus(*captured(network), constant=1e-6)
    near(from_zero(resized(expected, images)), theirs(peer.GradCAMPlusPlus, *network))


@pytest.mark.parametrize("network", [resnet, bottlenecks, vgg], indirect=True)
def test_grad_cam_plus_plus_is_that_of_pytorch_grad_cam_for_large_gradients(network):
    model, layer, images, classes, _ = network
    scaled = nn.Sequential(model, Times(1e6)), layer, images, classes
    near(from_zero(grad_cam_plus_plus(*scaled)), theirs(peer.GradCAMPlusPlus, *scaled, None))


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, logits):
        return logits * self.factor


@pytest.mark.parametrize("network", [resnet, bottlenecks, vgg], indirect=True)
def test_grad_cam_plus_plus_is_the_published_formula(network):
    model, layer, images, classes, _ = network
    expected = resized(plus_plus(*captured(network)), images)
    near(grad_cam_plus_plus(model, layer, images, classes), expected)


def plus_plus(features, gradient, constant=0):
    """Map of Grad-CAM++ before the ReLU, by equation 19 of the paper."""
    squared, cubed = gradient**2, gradient**3
    below = 2 * squared + features.sum(axis=(2, 3), keepdims=True) * cubed + constant
    alpha = np.divide(squared, below, out=np.zeros_like(below), where=gradient > 0)
    weights = (alpha * np.maximum(gradient, 0)).sum(axis=(2, 3), keepdims=True)
    return (weights * features).sum(axis=1)


@pytest.mark.parametrize("network", [resnet, convnext, vgg], indirect=True)
def test_eigen_cam_is_the_published_formula(network):
    """Without the centring of pytorch-grad-cam, after which the sign of a map is arbitrary."""
    model, layer, images, classes, _ = network
    maps = []
    for features in captured(network)[0]:
        flat = features.reshape(len(features), -1).T
        map_ = flat @ np.linalg.svd(flat)[2][0]
        maps.append((map_ * np.sign(map_.sum())).reshape(features.shape[1:]))
    near(eigen_cam(model, layer, images, classes), resized(np.stack(maps), images))


def test_score_cam_is_that_of_pytorch_grad_cam_on_a_map_as_large_as_the_image():
    """It enlarges the masks of smaller maps with aligned corners, unlike the maps themselves."""
    torch.manual_seed(0)
    model = nn.Sequential(SmallCNN(8), nn.Linear(32, 5)).eval()
    images, classes = torch.rand(3, 3, 20, 16), torch.tensor([1, 0, 3])
    network = model, model[0].blocks.block1.relu, images, classes
    near(from_zero(score_cam(*network)), theirs(peer.ScoreCAM, *network, None))


@pytest.mark.parametrize("network", [resnet], indirect=True)
def test_score_cam_is_the_published_formula(network):
    model, layer, images, classes, _ = network
    features = torch.from_numpy(captured(network)[0]).float()
    masks = interpolate(features, images.shape[2:], mode="bilinear", align_corners=False)
    low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
    masks = (masks - low) / (high - low).clamp_min(1e-30)
    with torch.no_grad():
        black = model(torch.zeros_like(images[:1]))[0, classes]
        gains = [
            model(mask[:, None] * image)[:, label] - base
            for mask, image, label, base in zip(masks, images, classes, black, strict=True)
        ]
    weights = torch.stack(gains).softmax(dim=1)[:, :, None, None]
    near(score_cam(model, layer, images, classes), resized((weights * features).sum(1), images))


@pytest.mark.parametrize("network", [convnext], indirect=True)
def test_score_cam_never_passes_more_images_than_the_batch_size(network):
    model, layer, images, classes, _ = network
    sizes = []
    handle = model.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    maps = score_cam(model, layer, images, classes, batch_size=50)
    handle.remove()
    assert sizes == [3, 50, 50, 50, 42]  # the images, and 3 x 64 masked ones
    torch.testing.assert_close(maps, score_cam(model, layer, images, classes), atol=1e-5, rtol=0)


def captured(network):
    """Features and gradients of a layer, in double precision."""
    model, layer, images, classes, _ = network
    outputs = []
    handle = layer.register_forward_hook(lambda *args: outputs.append(args[2]))
    score = model(images).gather(1, classes[:, None]).sum()
    handle.remove()
    [gradient] = torch.autograd.grad(score, outputs[-1])
    return outputs[-1].detach().double().numpy(), gradient.double().numpy()


def resized(maps, images):
    maps = torch.as_tensor(maps).float().relu()[:, None]
    maps = interpolate(maps, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-30)
