import pytest
import torch
import torchvision
from huggingface_hub import constants
from torch import nn
from torchvision.models import MNASNet, VisionTransformer

from models import SmallCNN, TimmBackbone, TorchvisionBackbone
from models.backbones.weights import downloading, load_weights


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


def test_weights_are_loaded_bit_by_bit(trained, fresh):
    assert not same(trained, fresh)
    load_weights(fresh, trained.state_dict(), "w.pth")
    assert same(trained, fresh)


def test_classifier_is_left_out_with_a_message(trained, fresh, messages):
    state = {**trained.state_dict(), "fc.weight": torch.zeros(1), "fc.bias": torch.zeros(7)}
    load_weights(fresh, state, "w.pth", classifier=["fc"])
    assert same(trained, fresh)
    assert "w.pth: left out fc.weight, fc.bias, the classifier." in messages.text


def test_superfluous_tensors_are_listed(trained, fresh):
    state = {**trained.state_dict(), "neck.weight": torch.zeros(1)}
    with pytest.raises(
        ValueError, match=r"w\.pth has 1 tensors that the network does not have: neck\.weight\."
    ):
        load_weights(fresh, state, "w.pth", classifier=["fc"])


def test_missing_tensors_are_listed(trained, fresh):
    state = trained.state_dict()
    del state["blocks.block1.conv.weight"]
    with pytest.raises(ValueError, match=r"lacks 1 of the network's 18 tensors: blocks\.block1"):
        load_weights(fresh, state, "w.pth")


def test_tensors_of_another_size_are_listed(fresh):
    with pytest.raises(ValueError, match=r"another size .*\(5, 3, 3, 3\) for \(4, 3, 3, 3\)"):
        load_weights(fresh, SmallCNN(5).state_dict(), "w.pth")


def test_allowed_tensors_may_differ(trained, fresh, messages):
    initial = fresh.blocks.block1.conv.weight.clone()
    state = {**trained.state_dict(), "neck.weight": torch.zeros(1)}
    state["blocks.block1.conv.weight"] = torch.zeros(7)
    del state["blocks.block3.norm.weight"]
    load_weights(fresh, state, "w.pth", allow=["neck.*", "blocks.block[13].*.weight"])
    assert fresh.blocks.block1.conv.weight.equal(initial)
    assert fresh.blocks.block2.conv.weight.equal(trained.blocks.block2.conv.weight)
    assert "left out neck.weight, blocks.block1.conv.weight, as allowed" in messages.text
    assert "w.pth: lacks blocks.block3.norm.weight, as allowed." in messages.text


def test_batch_counters_that_old_files_lack_stay_zero(trained, fresh):
    state = {n: t for n, t in trained.state_dict().items() if "num_batches" not in n}
    load_weights(fresh, state, "w.pth")
    assert same(trained, fresh)


def test_grey_network_sums_the_weights_over_the_colours():
    colour, grey = SmallCNN(4), SmallCNN(4, num_channels=1)
    load_weights(grey, colour.state_dict(), "w.pth")
    expected = colour.blocks.block1.conv.weight.sum(dim=1, keepdim=True)
    torch.testing.assert_close(grey.blocks.block1.conv.weight, expected)


def test_weights_for_grey_images_do_not_fit_a_colour_network():
    state = SmallCNN(4, num_channels=1).state_dict()
    with pytest.raises(ValueError, match=r"\(4, 1, 3, 3\) for \(4, 3, 3, 3\)"):
        load_weights(SmallCNN(4), state, "w.pth")


def test_network_with_versioned_names_loads_a_file_without_versions():
    first, second = MNASNet(0.5), MNASNet(0.5)
    load_weights(second, dict(first.state_dict()), "w.safetensors")
    assert same(first, second)


def test_old_names_are_recognised_by_their_version():
    """In torchvision's files of ViT, the layers of the MLP have the names of version 1."""
    first, second = (VisionTransformer(32, 16, 2, 2, 8, 16) for _ in range(2))
    state = first.state_dict()
    for name in [name for name in state if ".mlp." in name]:
        state[name.replace(".0.", ".linear_1.").replace(".3.", ".linear_2.")] = state.pop(name)
    for name in state._metadata:
        state._metadata[name] = {"version": 1}
    load_weights(second, state, "vit.pth")
    assert same(first, second)


def test_failed_download_says_what_to_do():
    expected = r"Could not download https://x/w: no route.*\.backbone\.init_args\.weights FILE"
    with pytest.raises(ConnectionError, match=expected), downloading("https://x/w"):
        raise OSError("no route to host")


def test_unreachable_url_of_torchvision_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    url = r"https://download\.pytorch\.org/models/squeezenet1_1-b8a52dc0\.pth"
    with pytest.raises(ConnectionError, match=rf"Could not download {url}.*weights FILE"):
        TorchvisionBackbone("squeezenet1_1", pretrained=True)


def test_unreachable_file_on_the_hub_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    url = r"https://huggingface\.co/timm/test_vit\.r160_in1k/resolve/main/model\.safetensors"
    with pytest.raises(ConnectionError, match=rf"Could not download {url}.*weights FILE"):
        TimmBackbone("test_vit", pretrained=True)


def test_network_without_weights_on_the_hub_is_refused():
    with pytest.raises(ValueError, match=r"timm has no weights of test_vit4\. .*from scratch"):
        TimmBackbone("test_vit4", pretrained=True)


def test_features_of_a_torchvision_file_are_those_of_torchvision(tmp_path, messages):
    reference = torchvision.models.squeezenet1_0().eval()
    torch.save(reference.state_dict(), tmp_path / "squeezenet.pth")
    backbone = TorchvisionBackbone("squeezenet1_0", weights=tmp_path / "squeezenet.pth").eval()
    assert same(backbone.network.features, reference.features)
    assert "left out classifier.1.weight, classifier.1.bias, the classifier" in messages.text
    images = torch.rand(2, 3, 96, 96)
    expected = reference.features(backbone.normalize(images)).relu().mean(dim=(2, 3))
    torch.testing.assert_close(backbone(images), expected)
    assert isinstance(backbone.network.classifier[1], nn.Identity)
