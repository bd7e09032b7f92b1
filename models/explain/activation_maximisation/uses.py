"""Which layers an image passes, in which order, and what each hands on to the next."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Softplus, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh),
)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


State = tuple[int, int]  # of a tensor: which object it is, and how often it was changed in place


class Use(NamedTuple):
    """One call of a layer.

    Attributes:
        name: Full name of the layer.
        layer: The layer.
        given: State of what it took, if that is a tensor.
        left: State of what it put out, if that is a tensor.
        output: What it put out, if that is a tensor.
    """

    name: str
    layer: nn.Module
    given: State | None
    left: State | None
    output: Tensor | None

    @property
    def is_leaf(self) -> bool:
        """Whether the layer holds no others."""
        return next(self.layer.children(), None) is None


def uses_of(model: nn.Module, image: Tensor) -> list[Use]:
    """Every call of every layer, in the order in which they end.

    What one layer puts out and the next one takes is the same tensor in the same state, so they
    can be followed. Where a shortcut is added in place, as in a block of ResNet, it is the same
    tensor in another state.

    Args:
        model: Maps images to logits.
        image: A batch that the model takes.
    """
    uses: list[Use] = []
    given: list[State | None] = []  # of the layers that have begun and not ended

    def begin(module: nn.Module, args: tuple) -> None:
        given.append(_state(args[0]) if args else None)

    def ender(name: str) -> Callable[..., None]:
        def end(module: nn.Module, args: tuple, output: object) -> None:
            tensor = output if isinstance(output, Tensor) else None
            uses.append(Use(name, module, given.pop(), _state(output), tensor))

        return end

    with ExitStack() as hooks, torch.no_grad():
        for name, module in model.named_modules():
            hooks.callback(module.register_forward_pre_hook(begin).remove)
            hooks.callback(module.register_forward_hook(ender(name)).remove)
        model(image)
    return uses


def _state(value: object) -> State | None:
    return (id(value), value._version) if isinstance(value, Tensor) else None


def source(uses: Sequence[Use], state: State | None) -> int | None:
    """Place of the last layer without layers of its own that left a tensor so; None if none."""
    places = [place for place, use in enumerate(uses) if use.left == state and use.is_leaf]
    return places[-1] if places and state is not None else None


def follower(uses: Sequence[Use], place: int) -> int | None:
    """Place of the norm or activation that takes just what a layer puts out; None if none."""
    for index, use in enumerate(uses[place + 1 :], place + 1):
        if use.given == uses[place].left is not None and isinstance(use.layer, NORMS + ACTIVATIONS):
            return index
    return None
