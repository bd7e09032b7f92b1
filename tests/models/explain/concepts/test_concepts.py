"""Concepts of a linear network, whose importance is known, and of layers of any layout."""

import numpy as np
import pytest
import timm
import torch
from torch import nn

from models.explain import NothingToShow, last_feature_map
from models.explain.concepts import CutNetwork, find_concepts

WEIGHTS = torch.tensor([3.0, -2.0, 1.0])


class LinearNetwork(nn.Module):
    """Its map are the channels of the image; the logit of class 1 weighs their means."""

    def __init__(self):
        super().__init__()
        self.map = nn.Identity()

    def forward(self, images):
        found = self.map(images).mean(dim=(2, 3))
        return torch.stack([found.sum(dim=1), found @ WEIGHTS], dim=1)


@pytest.fixture(scope="module")
def planted():
    """Images that show each of three channels in another corner, and the found concepts."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(8, 3, 12, 12)
    amounts = 0.2 + 0.8 * torch.rand(8, 3, generator=generator)
    for channel, (row, column) in enumerate([(0, 0), (0, 8), (8, 0)]):
        images[:, channel, row : row + 4, column : column + 4] = amounts[:, channel, None, None]
    model = LinearNetwork()
    return images, amounts, find_concepts(CutNetwork(model, model.map), images, 1, 3)


def test_importance_of_a_linear_network_follows_from_its_weights(planted):
    _, amounts, found = planted
    shares = (WEIGHTS * amounts) ** 2
    expected = (shares / shares.sum(dim=1, keepdim=True)).mean(dim=0)
    np.testing.assert_allclose(found.importance, expected, atol=0.02)
    falls = (WEIGHTS * amounts).mean(dim=0) / 9  # a channel covers a ninth of the image
    np.testing.assert_allclose(found.falls, falls, rtol=1e-3)
    assert found.explained == pytest.approx(1, abs=1e-4)


def test_maps_are_the_channels(planted):
    images, _, found = planted
    np.testing.assert_allclose(found.in_images, images.numpy(), atol=1e-4)


def test_top_crops_and_images_are_those_with_most_of_a_channel(planted):
    _, amounts, found = planted
    best = amounts[:, 0].argsort(descending=True).tolist()
    assert found.top_images(0, 3) == best[:3]
    assert found.top_crops(0, 9) == [(image, 0) for image in best]  # the first crop of each


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_efficientnet"])
def test_logit_with_all_concepts_is_that_of_the_network(name):
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=3).eval()
    image = torch.rand(1, 3, 160, 160)
    layer, to_map = last_feature_map(model, image)
    network = CutNetwork(model, model.get_submodule(layer), to_map)
    changes = torch.zeros(2, *network.activations(image).shape[1:])
    changes[1, :, 2, 3] = 1.0
    with torch.no_grad():
        whole = model(image)
    logits = network.logits(image, changes)
    torch.testing.assert_close(logits[:1], whole)
    assert not torch.allclose(logits[1:], whole)


def test_change_of_a_position_is_that_of_its_token():
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=3).eval()
    image = torch.rand(1, 3, 160, 160)
    layer, to_map = last_feature_map(model, image)
    network = CutNetwork(model, model.get_submodule(layer), to_map)
    changes = torch.zeros(1, *network.activations(image).shape[1:])
    changes[0, :, 2, 3] = 1.0
    changed = network.logits(image, changes)

    def change_token(module, args, output):
        output[:, 1 + 2 * 10 + 3] += 1  # behind the class token, in rows of ten patches
        return output

    network.layer.register_forward_hook(change_token)
    with torch.no_grad():
        torch.testing.assert_close(changed, model(image))


def test_layer_that_is_called_twice_is_refused():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.ReLU()

        def forward(self, images):
            return self.layer(self.layer(images)).mean(dim=(2, 3))

    model = Twice()
    with pytest.raises(NothingToShow, match="called 2 times for an image, expected once"):
        CutNetwork(model, model.layer).logits(torch.rand(1, 3, 8, 8), torch.zeros(2, 3, 8, 8))
