import pytest
import timm
import torch

from models import Ensemble, ImageClassifier, Member, NoHead, SmallCNN, TimmBackbone
from models.explain import NothingToShow, class_evidence, grad_cam, gradient_rollout

IMAGES = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
CLASSES = torch.tensor([0, 1])


@pytest.fixture(scope="module")
def vit():
    torch.manual_seed(0)
    return ImageClassifier(TimmBackbone("test_vit", num_channels=1, image_size=32), 3).eval()


@pytest.fixture(scope="module")
def cnn():
    torch.manual_seed(0)
    return ImageClassifier(SmallCNN(8, 1), 3).eval()


def test_transformers_are_explained_by_attention_and_other_networks_by_grad_cam(vit, cnn):
    found = class_evidence("auto", vit, IMAGES)
    assert found[:2] == ("gradient_rollout", "6 attention layers")
    expected = gradient_rollout(vit, IMAGES, CLASSES)
    torch.testing.assert_close(found.explain(vit, IMAGES, CLASSES), expected)
    assert class_evidence("auto", cnn, IMAGES).method == "grad_cam"


def test_where_attention_is_of_another_kind_grad_cam_takes_its_place():
    model = timm.create_model("pvt_v2_b0", num_classes=3, in_chans=1, depths=(1, 1, 1, 1)).eval()
    images = torch.rand(2, 1, 64, 64)
    assert class_evidence("auto", model, images).method == "grad_cam"
    found = class_evidence("gradient_rollout", model, images)
    with pytest.raises(NothingToShow, match="in windows, as in Swin"):
        found.explain(model, images, CLASSES)


def test_a_named_layer_is_explained_by_grad_cam(vit):
    layer = "backbone.network.blocks.0"
    found = class_evidence("auto", vit, IMAGES, layer)
    assert found[:2] == ("grad_cam", "layer blocks.0")
    module = vit.get_submodule(layer)
    expected = grad_cam(vit, module, IMAGES, CLASSES)
    torch.testing.assert_close(found.explain(vit, IMAGES, CLASSES), expected)
    with pytest.raises(ValueError, match="attn_lrp explains all layers together"):
        class_evidence("attn_lrp", vit, IMAGES, layer)


def test_unknown_methods_are_refused(cnn):
    with pytest.raises(ValueError, match=r"method 'attn_lpr'. Near names: attn_lrp"):
        class_evidence("attn_lpr", cnn, IMAGES)


def test_maps_of_an_ensemble_are_means_over_its_networks():
    torch.manual_seed(0)
    members = [Member(SmallCNN(8, 1), 3), Member(SmallCNN(8, 1), 3)]
    model = ImageClassifier(Ensemble(members), 3, head=NoHead).eval()
    found = class_evidence("auto", model, IMAGES)
    assert found.where.endswith(", mean of 2 networks")
    expected = [class_evidence("auto", m, IMAGES).explain(m, IMAGES, CLASSES) for m in members]
    torch.testing.assert_close(found.explain(model, IMAGES, CLASSES), sum(expected) / 2)
