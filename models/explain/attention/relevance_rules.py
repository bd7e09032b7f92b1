"""Rules of AttnLRP: layers whose gradient times input is the relevance that goes back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from models.explain.attention.capture import visible_attention
from models.explain.map_layout import NothingToShow

GAMMA = 0.05  # of linear layers, as the authors use it for vision transformers

Rule = Callable[[nn.Module, Tensor, Tensor], Tensor]  # layer, input and output to the same output


@contextmanager
def relevance_rules(model: nn.Module, gamma: float = GAMMA) -> Iterator[None]:
    """Give each layer the backward pass of its rule; outputs of the network stay the same.

    Raises:
        NothingToShow: If a layer has no rule.
    """
    with visible_attention(model) as modules, ExitStack() as hooks:
        unseen = {id(module.qkv) for module in modules.values() if _is_plain(module)}
        if len(unseen) < len(modules):
            raise NothingToShow("AttnLRP has no rule for this kind of attention.")
        for module in model.modules():
            if rule := _rule_of(module, gamma):
                hooks.callback(module.register_forward_hook(_hook(rule)).remove)
        for module in modules.values():
            for part in ("qkv", "attn_drop"):
                hook = module.get_submodule(part).register_forward_hook(_halve(unseen))
                hooks.callback(hook.remove)
        yield
        if unseen:
            raise NothingToShow("AttnLRP has no rule for attention that does not call its layers.")


def linear_rule(layer: nn.Linear, inputs: Tensor, output: Tensor, gamma: float) -> Tensor:
    """Generalised gamma rule: what contributes with the sign of the output counts 1 + gamma times.

    With z the contributions to an output, that is R_i = sum_j (z_ij + gamma z_ij') / (sum_k z_kj +
    gamma z_kj') R_j, where z' are those of the output's sign. With gamma 0 it is the epsilon rule
    for epsilon 0. The bias takes its share.
    """
    weight, bias = layer.weight, layer.bias
    high = None if bias is None else bias.clamp_min(0)
    plus = linear(inputs.clamp_min(0), weight.clamp_min(0), high)
    plus = plus + linear(inputs.clamp_max(0), weight.clamp_max(0))
    same_sign = torch.where(output > 0, plus, output - plus)
    return _with_value(output + gamma * same_sign, output)


def norm_rule(layer: nn.LayerNorm, inputs: Tensor, output: Tensor) -> Tensor:
    """The deviation is a constant (AttnLRP, equation 12), so the norm is a linear layer."""
    dims = tuple(range(-len(layer.normalized_shape), 0))
    deviation = (inputs.var(dim=dims, keepdim=True, correction=0) + layer.eps).sqrt().detach()
    normed = (inputs - inputs.mean(dim=dims, keepdim=True)) / deviation
    normed = normed if layer.weight is None else normed * layer.weight
    return normed if layer.bias is None else normed + layer.bias


def activation_rule(layer: nn.Module, inputs: Tensor, output: Tensor) -> Tensor:
    """Element by element, all relevance goes to the input (AttnLRP, section 3.3.1)."""
    return _with_value(inputs, output)


def _with_value(tensor: Tensor, value: Tensor) -> Tensor:
    """`tensor`, scaled to another value by constants; 0 has no relevance to pass on."""
    return tensor * torch.where(tensor == 0, 0, value / tensor).detach()


def _rule_of(module: nn.Module, gamma: float) -> Rule | None:
    if isinstance(module, nn.Linear) and gamma:
        return lambda layer, inputs, output: linear_rule(module, inputs, output, gamma)
    if isinstance(module, nn.LayerNorm):
        return lambda layer, inputs, output: norm_rule(module, inputs, output)
    kind = type(module)
    if kind.__module__.rpartition(".")[2].startswith("activation"):  # of torch and of timm
        if isinstance(module, nn.Softmax):
            return None  # gradient times input is its rule (section 3.3.2)
        if not isinstance(module, nn.MultiheadAttention):
            return activation_rule
    if any(part in kind.__name__.lower() for part in ("rmsnorm", "glu", "multiheadattention")):
        raise NothingToShow(f"AttnLRP has no rule for the layer {kind.__name__}.")
    return None


def _is_plain(module: nn.Module) -> bool:
    return isinstance(getattr(module, "qkv", None), nn.Linear) and not getattr(module, "gate", None)


def _hook(rule: Rule) -> Callable[..., Tensor]:
    return lambda module, args, output: rule(module, args[0], output)


def _halve(unseen: set[int]) -> Callable[..., None]:
    """A product shares its relevance equally between its two factors (AttnLRP, equation 15).

    Queries, keys and values are a factor of one product each, and so are the attention weights.
    """

    def halve(module: nn.Module, args: object, output: Tensor) -> None:
        unseen.discard(id(module))
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient / 2)

    return halve
