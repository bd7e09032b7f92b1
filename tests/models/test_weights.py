from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from models import SmallCNN, TorchvisionBackbone
from models.weights import downloading, load_weights

SQUEEZENET = Path(__file__).parents[3] / "shared/data/weights/squeezenet1_0_imagenet.pth"


@pytest.fixture
def trained():
    torch.manual_seed(1)
    return SmallCNN(4)


@pytest.fixture
def fresh():
    torch.manual_seed(2)
    return SmallCNN(4)


def same(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(a.equal(b) for a, b in pairs)


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_wrappers_and_prefixes_are_seen_through(trained, fresh, tmp_path, wrapper, prefix):
    state = {f"{prefix}{name}": tensor for name, tensor in trained.state_dict().items()}
    torch.save({wrapper: state} if wrapper else state, tmp_path / "w.pth")
    assert not same(trained, fresh)
    load_weights(fresh, tmp_path / "w.pth")
    assert same(trained, fresh)


def test_safetensors_are_read(trained, fresh, tmp_path):
    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    load_weights(fresh, tmp_path / "w.safetensors")
    assert same(trained, fresh)


def test_classifier_in_the_file_is_left_out_with_a_message(trained, fresh, tmp_path, caplog):
    torch.save({**trained.state_dict(), "fc.weight": torch.zeros(1)}, tmp_path / "w.pth")
    with caplog.at_level("INFO"):
        load_weights(fresh, tmp_path / "w.pth")
    assert "left out fc.weight" in caplog.text


def test_missing_tensors_are_listed(trained, fresh, tmp_path):
    state = trained.state_dict()
    del state["blocks.block1.conv.weight"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"lacks 1 of the network's 18 tensors: blocks\.block1"):
        load_weights(fresh, tmp_path / "w.pth")


def test_tensors_of_another_size_are_listed(fresh, tmp_path):
    torch.save(SmallCNN(5).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"\(5, 3, 3, 3\) for \(4, 3, 3, 3\)"):
        load_weights(fresh, tmp_path / "w.pth")


def test_missing_file_is_named(fresh, tmp_path):
    with pytest.raises(ValueError, match=r"no file of weights at .*gone\.pth"):
        load_weights(fresh, tmp_path / "gone.pth")


def test_failed_download_says_what_to_do():
    expected = r"Could not download the weights.*--w FILE"
    with pytest.raises(ConnectionError, match=expected), downloading("the weights", "w"):
        raise OSError("no route to host")


@pytest.mark.skipif(not SQUEEZENET.is_file(), reason="the pretrained weights are not here")
def test_pretrained_features_are_those_of_torchvision():
    reference = torchvision.models.squeezenet1_0().eval()
    reference.load_state_dict(torch.load(SQUEEZENET, weights_only=True))
    backbone = TorchvisionBackbone("squeezenet1_0", weights=SQUEEZENET).eval()
    images = torch.rand(2, 3, 96, 96)
    expected = reference.features(backbone.normalize(images)).relu().mean(dim=(2, 3))
    torch.testing.assert_close(backbone(images), expected)
