"""Attention weights of a timm transformer, and the positions that they belong to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn

from models.explain.attention.windows import windows_of
from models.explain.map_layout import NothingToShow

CHUNK = 4  # images at once: of 577 tokens, a ViT-B has 190 MB of attention weights for each


class AttentionLayer(NamedTuple):
    """Attention of a block.

    Attributes:
        weights: After the softmax, (N * W, heads, T, T), the W windows of an image in a row.
        windows: Positions of the block that each window holds, (W, T), -1 for padding. A ViT has
            one window with all tokens.
        tokens: Output of the block, (N, P, D), or (N, h, w, D) as in Swin.
    """

    weights: Tensor
    windows: Tensor
    tokens: Tensor


def attention_modules(model: nn.Module) -> dict[str, nn.Module]:
    """The self-attention of a timm network by name: modules with dropout of attention weights."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(getattr(module, "attn_drop", None), nn.Module)
    }


@contextmanager
def visible_attention(model: nn.Module) -> Iterator[dict[str, nn.Module]]:
    """Let the attention compute its weights, which a fused kernel would not; restored at the end.

    Raises:
        NothingToShow: If the network has no attention of timm's kind.
    """
    modules = attention_modules(model)
    if not modules:
        raise NothingToShow("the network has no self-attention of timm's kind.")
    fused: list[Any] = [m for m in modules.values() if getattr(m, "fused_attn", False)]
    for module in fused:
        module.fused_attn = False
    try:
        yield modules
    finally:
        for module in fused:
            module.fused_attn = True


def attention_layers(model: nn.Module, images: Tensor) -> tuple[Tensor, list[AttentionLayer]]:
    """Run a network, and return its logits and the attention of each block in order.

    Args:
        model: Maps images to logits.
        images: (N, C, H, W); if they require gradients, so does the attention.

    Raises:
        NothingToShow: If the attention is of another kind than in ViT, DeiT and Swin.
    """
    found: dict[str, tuple[Tensor, Tensor]] = {}
    with visible_attention(model) as modules, ExitStack() as hooks:
        weights: dict[str, Tensor] = {}
        for name, module in modules.items():
            block = model.get_submodule(name.rpartition(".")[0])
            keep, join = _keeper(weights, name), _joiner(weights, found, name)
            drop = module.get_submodule("attn_drop")
            hooks.callback(drop.register_forward_hook(keep).remove)
            hooks.callback(block.register_forward_hook(join).remove)
        logits = model(images)
    blocks = {name: model.get_submodule(name.rpartition(".")[0]) for name in found}
    layers = [_layer(*found[name], blocks[name], images) for name in found]
    if len(layers) < len(modules):
        raise NothingToShow("not every attention of the network computes its weights.")
    return logits, layers


def _keeper(weights: dict[str, Tensor], name: str) -> Callable[..., None]:
    def keep(module: nn.Module, args: object, output: Tensor) -> None:
        weights[name] = output

    return keep


def _joiner(
    weights: dict[str, Tensor], found: dict[str, tuple[Tensor, Tensor]], name: str
) -> Callable[..., None]:
    def join(module: nn.Module, args: object, output: object) -> None:
        if name in weights and isinstance(output, Tensor):
            found[name] = weights[name], output

    return join


def _layer(weights: Tensor, tokens: Tensor, block: nn.Module, images: Tensor) -> AttentionLayer:
    """Attention of a block, if it is between the tokens of the block or of its windows."""
    windows = windows_of(block, tokens.shape[1:-1]).to(weights.device)
    expected = (len(windows) * len(images), windows.shape[1], windows.shape[1])
    if weights.ndim != 4 or (weights.shape[0], *weights.shape[2:]) != expected:
        raise NothingToShow(
            f"its attention weights are {tuple(weights.shape)} for tokens {tuple(tokens.shape)}; "
            "expected those between all tokens, as in ViT and DeiT, or in windows, as in Swin."
        )
    return AttentionLayer(weights, windows, tokens)
