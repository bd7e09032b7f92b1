import pytest
import timm
import torch
from torch import nn

from models.explain import NothingToShow
from models.explain.attention import attn_lrp, gradient_rollout
from models.explain.attention.capture import attention_layers, visible_attention
from models.explain.attention.windows import through_windows, unmerged, windows_of
from models.explain.class_activation.capture import to_heat

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CLASSES = torch.tensor([2, 0])
SWIN_IMAGES = torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(2)).double()


class Caught(nn.Module):
    """Takes the place of a block's attention, and keeps what the block cuts into windows."""

    def forward(self, windows, mask=None):
        self.windows = windows
        return windows


@pytest.mark.parametrize("size", [32, 40])
@pytest.mark.parametrize("index", [0, 1])
def test_windows_hold_the_positions_that_timm_puts_into_them(tiny_swin, size, index):
    """The second block of a stage shifts; 10 positions need padding."""
    block, side = tiny_swin(size).layers[0].blocks[index], size // 4
    block.attn = Caught()
    positions = torch.arange(1.0, side * side + 1).view(1, side, side, 1)
    torch.testing.assert_close(block._attn(positions), positions)
    windows = windows_of(block, (side, side))
    assert any(block.shift_size) == bool(index)
    assert block.attn.windows[..., 0].long().equal(windows + 1)


def dense(attention, windows, positions):
    """The attention between all positions, written entry by entry, (N, P, P)."""
    images = len(attention) // len(windows)
    matrix = torch.zeros(images, positions, positions)
    for image in range(images):
        for number, window in enumerate(windows.tolist()):
            for i, row in enumerate(window):
                for j, column in enumerate(window):
                    if row >= 0 and column >= 0:
                        matrix[image, row, column] = attention[image * len(windows) + number, i, j]
    return matrix


def test_relevance_goes_through_windows_as_through_the_matrix_of_all_positions(tiny_swin):
    windows = windows_of(tiny_swin().layers[0].blocks[1], (10, 10))
    generator = torch.Generator().manual_seed(0)
    attention = torch.rand(2 * len(windows), 16, 16, generator=generator)
    relevance = torch.rand(2, 100, generator=generator)
    expected = (relevance[:, None] @ dense(attention, windows, 100))[:, 0]
    torch.testing.assert_close(through_windows(relevance, attention, windows), expected)


def test_merged_patches_share_their_relevance():
    found = unmerged(torch.tensor([[4.0, 8.0]]), (1, 2), (2, 3))
    assert found.tolist() == [[1, 1, 2, 1, 1, 2]]
    with pytest.raises(NothingToShow, match=r"change from \(9,\) to \(2,\)"):
        unmerged(torch.ones(1, 2), (2,), (9,))


def test_rollout_of_swin_is_the_product_of_the_matrices_of_all_positions(tiny_swin):
    model = tiny_swin()
    logits, layers = attention_layers(model, SWIN_IMAGES.clone().requires_grad_())
    weights = [layer.weights for layer in layers]
    gradients = torch.autograd.grad(logits.gather(1, CLASSES[:, None]).sum(), weights)
    relevance = torch.eye(100).expand(2, -1, -1)
    for index, (layer, gradient) in enumerate(zip(layers, gradients, strict=True)):
        if index == 2:  # 10 x 10 positions become 5 x 5, each the mean of four
            merged = torch.zeros(25, 100)
            for row in range(100):
                merged[row // 20 * 5 + row % 10 // 2, row] = 0.25
            relevance = merged @ relevance
            own = merged
        mean = (gradient * layer.weights).clamp_min(0).mean(dim=1).detach().float()
        positions = layer.tokens.shape[1] ** 2
        relevance = relevance + dense(mean, layer.windows, positions) @ relevance
    expected = (relevance - own).mean(dim=1).view(2, 10, 10)
    found = gradient_rollout(model, SWIN_IMAGES, CLASSES)
    torch.testing.assert_close(found, to_heat(expected, SWIN_IMAGES), rtol=1e-3, atol=1e-4)


def test_a_window_as_large_as_the_image_is_attention_between_all_tokens(tiny_vit):
    windows = windows_of(nn.Identity(), (5,))
    attention, relevance = torch.rand(2, 5, 5), torch.rand(2, 5)
    expected = (relevance[:, None] @ attention)[:, 0]
    torch.testing.assert_close(through_windows(relevance, attention, windows), expected)


@pytest.mark.parametrize("method", [gradient_rollout, attn_lrp])
def test_both_methods_explain_swin(tiny_swin, method):
    maps = method(tiny_swin(), SWIN_IMAGES, CLASSES)
    assert maps.shape == (2, 40, 40)
    assert maps.amax(dim=(1, 2)).tolist() == [1, 1]


def test_rollout_of_the_mean_of_all_tokens_is_the_mean_of_their_rows(tiny_vit):
    model = tiny_vit(class_token=False, global_pool="avg")
    logits, layers = attention_layers(model, IMAGES.clone().requires_grad_())
    weights = [layer.weights for layer in layers]
    gradients = torch.autograd.grad(logits.gather(1, CLASSES[:, None]).sum(), weights)
    relevance = identity = torch.eye(4)
    for weight, gradient in zip(weights, gradients, strict=True):
        relevance = relevance + (gradient * weight).clamp_min(0).mean(dim=1).float() @ relevance
    expected = (relevance - identity).mean(dim=1).view(2, 2, 2).detach()
    found = gradient_rollout(model, IMAGES, CLASSES)
    torch.testing.assert_close(found, to_heat(expected, IMAGES), rtol=1e-3, atol=1e-4)


def test_fused_attention_is_switched_on_again(tiny_vit):
    model = tiny_vit()
    model.blocks[0].attn.fused_attn, model.blocks[1].attn.fused_attn = True, False
    with visible_attention(model) as modules:
        assert not any(module.fused_attn for module in modules.values())
    assert [block.attn.fused_attn for block in model.blocks] == [True, False]
    gradient_rollout(model, IMAGES, CLASSES)
    assert model.blocks[0].attn.fused_attn
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("test_resnet", {}, "no self-attention of timm's kind"),
        ("pvt_v2_b0", {"depths": (1, 1, 1, 1)}, "expected those between all tokens"),
    ],
)
def test_other_networks_are_refused(name, options, reason):
    model = timm.create_model(name, num_classes=3, **options).eval()
    with pytest.raises(NothingToShow, match=reason):
        gradient_rollout(model, torch.rand(1, 3, 64, 64), torch.tensor([0]))
