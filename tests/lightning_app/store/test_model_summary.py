"""Model summary: correct numbers, and no effect on the network."""

import gc
import weakref

import pytest
import torch

from lightning_app.store.model_summary import summarize
from models import Head, ImageClassifier, PlainCNN, SmallCNN, TorchvisionBackbone
from models.freezing import freeze_before


def test_published_system_has_the_published_totals():
    classifier = ImageClassifier(TorchvisionBackbone("resnext101_32x8d"), 20, Head)
    freeze_before("layer4.0.conv1.weight", classifier)
    text = summarize(classifier, 3, 64)
    assert "Total params: 86,783,316\n" in text
    assert "Trainable params: 28,786,708\n" in text
    assert "Non-trainable params: 57,996,608\n" in text
    assert "Input size (MB): 0.05\n" in text
    assert "Params size (MB): 347.13\n" in text
    assert "Forward/backward pass size (MB): " in text


def test_network_is_left_unchanged():
    classifier = ImageClassifier(SmallCNN(8, 1), 4).train()
    before = {key: value.clone() for key, value in classifier.state_dict().items()}
    state = torch.get_rng_state()
    summarize(classifier, 1, 32)
    assert all(value.equal(before[key]) for key, value in classifier.state_dict().items())
    assert torch.get_rng_state().equal(state)
    assert all(module.training for module in classifier.modules())
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in classifier.modules()]
    assert sum(hooks) == 0


def test_network_is_not_kept():
    """torchinfo caches the layers, and a layer's module knows the trainer with its optimizer."""
    classifier = ImageClassifier(SmallCNN(8, 1), 4)
    summarize(classifier, 1, 32)
    kept = weakref.ref(classifier)
    del classifier
    gc.collect()
    assert kept() is None


def test_error_of_a_network_about_its_images_is_passed_on():
    classifier = ImageClassifier(PlainCNN(num_channels=1, image_size=48), 7)
    with pytest.raises(ValueError, match="48"):
        summarize(classifier, 1, 32)
