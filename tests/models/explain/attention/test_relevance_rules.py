import pytest
import timm
import torch
from torch import nn

from models.explain import NothingToShow
from models.explain.attention.attn_lrp import patch_relevance
from models.explain.attention.relevance_rules import activation_rule, linear_rule, norm_rule

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CLASSES = torch.tensor([2, 0])


def relevances(rule, layer):
    """Relevance (gradient times tensor) before and after a layer, for a random gradient."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(3, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    output = rule(inputs, layer(inputs))
    torch.testing.assert_close(output, layer(inputs))
    gradient = torch.randn(output.shape, generator=generator, dtype=torch.float64)
    [back] = torch.autograd.grad(output, inputs, gradient)
    return (inputs * back).detach(), (output * gradient).detach()


@pytest.mark.parametrize("gamma", [0.0, 0.05, 2.0])
def test_a_linear_layer_without_bias_conserves_relevance(gamma):
    layer = nn.Linear(6, 4, bias=False).double()
    before, after = relevances(lambda x, y: linear_rule(layer, x, y, gamma), layer)
    torch.testing.assert_close(before.sum(dim=1), after.sum(dim=1))


def test_a_norm_without_bias_conserves_relevance():
    layer = nn.LayerNorm(6, bias=False).double()
    nn.init.normal_(layer.weight)
    before, after = relevances(lambda x, y: norm_rule(layer, x, y), layer)
    torch.testing.assert_close(before.sum(dim=1), after.sum(dim=1))


def test_an_activation_passes_all_relevance_on():
    layer = nn.GELU()
    before, after = relevances(lambda x, y: activation_rule(layer, x, y), layer)
    torch.testing.assert_close(before, after)


def silent(model, *parts):
    """Set parameters to zero by parts of their names."""
    for name, parameter in model.named_parameters():
        if any(part in name for part in parts):
            parameter.zero_()
    return model


@pytest.mark.parametrize("gamma", [0.0, 0.05])
def test_relevance_of_the_patches_is_the_logit_without_biases_and_attention(tiny_vit, gamma):
    """Only biases and the softmax keep relevance, so here the sum is the logit itself."""
    model = tiny_vit(class_token=False, global_pool="avg")
    silent(model, "bias", "pos_embed", "attn.proj")
    logits = model(IMAGES).gather(1, CLASSES[:, None])[:, 0].float()
    relevance = patch_relevance(model, IMAGES, CLASSES, gamma)
    torch.testing.assert_close(relevance.sum(dim=(1, 2)), logits)


def test_uniform_attention_keeps_half_of_what_comes_through_it(tiny_vit):
    """Products share equally, and the softmax of equal numbers gives nothing to queries and keys.

    Only the attention of the second block contributes, so half of the logit gets to the patches.
    """
    model = silent(tiny_vit(), "bias", "pos_embed", "cls_token", "mlp", "blocks.0.attn.proj")
    weight = model.blocks[1].attn.qkv.weight
    weight[: 2 * len(weight) // 3] = 0
    logits = model(IMAGES).gather(1, CLASSES[:, None])[:, 0].float()
    relevance = patch_relevance(model, IMAGES, CLASSES, gamma=0.0)
    torch.testing.assert_close(relevance.sum(dim=(1, 2)), logits / 2)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_resnet", "does not embed patches"),
        ("beitv2_base_patch16_224", "attention that does not call its layers"),
        ("swinv2_cr_tiny_224", "no rule for"),
    ],
)
def test_networks_without_rules_are_refused(name, reason):
    options = {"depths": (1, 1, 1, 1)} if "swin" in name else {}
    options |= {"depth": 1, "embed_dim": 24, "num_heads": 2} if "beit" in name else {}
    model = timm.create_model(name, num_classes=3, **options).eval()
    size = 160 if name == "test_resnet" else 224
    with pytest.raises(NothingToShow, match=reason):
        patch_relevance(model, torch.rand(1, 3, size, size), torch.tensor([0]))
    assert not any(module._forward_hooks for module in model.modules())
