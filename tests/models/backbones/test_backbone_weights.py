"""Files of weights for the networks of timm and torchvision."""

import re

import pytest
import timm
import torch
import torchvision
from timm.layers import resample_abs_pos_embed
from torch import nn
from torchvision.models import VisionTransformer

from datamodules import SyntheticDataModule
from models import ImageClassifier, TimmBackbone, TorchvisionBackbone
from models.backbones.backbone import Normalize
from models.backbones.torchvision_backbone import IMAGENET_MEAN, IMAGENET_STD, with_current_names


def saved(network, file):
    torch.save(network.state_dict(), file)
    return file


def test_grey_image_has_the_features_of_the_same_image_in_colour(tmp_path):
    """Summing the weights over RGB is equivalent to repeating the grey image three times."""
    colour = TorchvisionBackbone("squeezenet1_1").eval()
    file = saved(colour.network, tmp_path / "w.pth")
    grey = TorchvisionBackbone("squeezenet1_1", weights=file, num_channels=1).eval()
    colour.normalize = grey.normalize = nn.Identity()
    image = torch.rand(1, 1, 64, 64)
    torch.testing.assert_close(grey(image), colour(image.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_efficientnet", "test_vit"])
@pytest.mark.parametrize("channels", [1, 3])
def test_timm_file_gives_the_features_of_timm(name, channels, tmp_path):
    theirs = timm.create_model(name).eval()
    file = saved(theirs, tmp_path / "w.pth")
    ours = TimmBackbone(name, weights=file, num_channels=channels).eval()
    ours.normalize = nn.Identity()
    images = torch.rand(2, 1, 160, 160)
    expected = theirs.forward_head(
        theirs.forward_features(images.expand(-1, 3, -1, -1)), pre_logits=True
    )
    features = ours(images.expand(-1, channels, -1, -1))
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["squeezenet1_1", "densenet121", "shufflenet_v2_x0_5"])
def test_torchvision_file_is_loaded_except_for_its_classifier(name, tmp_path):
    theirs = torchvision.models.get_model(name)
    file = saved(theirs, tmp_path / "w.pth")
    expected = theirs.state_dict()
    loaded = TorchvisionBackbone(name, weights=file).network.state_dict()
    assert len(expected) - len(loaded) == 2
    assert all(tensor.equal(expected[name]) for name, tensor in loaded.items())


def test_old_names_of_densenet_are_known(tmp_path):
    theirs = torchvision.models.densenet121()
    old = {
        re.sub(r"(denselayer\d+\.\w+)(\d)\.", r"\1.\2.", name): tensor
        for name, tensor in theirs.state_dict().items()
    }
    torch.save(old, tmp_path / "w.pth")
    loaded = TorchvisionBackbone("densenet121", weights=tmp_path / "w.pth").network
    weight = "features.denseblock4.denselayer16.conv2.weight"
    assert weight not in old
    assert loaded.state_dict()[weight].equal(theirs.state_dict()[weight])


def test_old_names_of_vision_transformers_are_known():
    network = VisionTransformer(32, 16, 2, 2, 8, 16)
    old = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): tensor
        for name, tensor in network.state_dict().items()
    }
    assert set(old) != set(network.state_dict())
    assert set(with_current_names(old)) == set(network.state_dict())


def test_auxiliary_classifiers_in_a_file_are_left_out_and_the_input_is_transformed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(nn.init, "trunc_normal_", lambda tensor, **_: tensor)  # takes seconds
    theirs = torchvision.models.googlenet(transform_input=True, init_weights=False).eval()
    file = saved(theirs, tmp_path / "w.pth")
    ours = TorchvisionBackbone("googlenet", weights=file).eval()
    theirs.fc = nn.Identity()
    images = torch.rand(2, 3, 64, 64)
    imagenet = Normalize(IMAGENET_MEAN, IMAGENET_STD, 3)
    torch.testing.assert_close(ours(images), theirs(imagenet(images)))


def test_position_embeddings_of_another_image_size_are_resampled(tmp_path):
    theirs = timm.create_model("test_vit")
    file = saved(theirs, tmp_path / "w.pth")
    ours = TimmBackbone("test_vit", weights=file, image_size=64).network
    expected = resample_abs_pos_embed(theirs.pos_embed, [4, 4], num_prefix_tokens=1)
    torch.testing.assert_close(ours.pos_embed, expected)
    assert ours.blocks[1].mlp.fc1.weight.equal(theirs.blocks[1].mlp.fc1.weight)


def test_checkpoint_of_a_fit_gives_its_backbone(tmp_path, make_trainer, messages):
    trained = ImageClassifier(TimmBackbone("test_resnet"), num_classes=4)
    trainer = make_trainer(max_epochs=1, limit_train_batches=1, limit_val_batches=0)
    trainer.fit(trained, SyntheticDataModule(num_images=80, batch_size=8, num_channels=3))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    fresh = TimmBackbone("test_resnet", weights=tmp_path / "last.ckpt")
    expected = trained.backbone.state_dict()
    assert all(tensor.equal(expected[name]) for name, tensor in fresh.state_dict().items())
    assert "left out head.layers.1.weight, head.layers.1.bias" in messages.text


def test_file_of_another_network_is_refused(tmp_path):
    file = saved(timm.create_model("test_resnet"), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"w\.pth lacks .* tensors: stem\.0\.weight.*; it has"):
        TimmBackbone("test_convnext", weights=file)


def test_layers_that_are_allowed_keep_their_initial_weights(tmp_path):
    theirs = timm.create_model("test_resnet").state_dict()
    torch.save({n: t for n, t in theirs.items() if "layer4" not in n}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"lacks .* layer4.*`allow`, beside `weights`, takes"):
        TimmBackbone("test_resnet", weights=tmp_path / "w.pth")
    ours = TimmBackbone("test_resnet", weights=tmp_path / "w.pth", allow=("layer4.*",))
    assert ours.network.state_dict()["conv1.0.weight"].equal(theirs["conv1.0.weight"])
