"""Layer calls: which layers an image passes, in which order, and which output is whose input."""

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


State = tuple[int, int]  # id of a tensor, and how often it was changed in place


class LayerCall(NamedTuple):
    """One call of a layer.

    Attributes:
        name: Full name of the layer.
        layer: The layer.
        input_state: State of its input, if that is a tensor.
        output_state: State of its output, if that is a tensor.
        output: Its output, if that is a tensor.
    """

    name: str
    layer: nn.Module
    input_state: State | None
    output_state: State | None
    output: Tensor | None

    @property
    def is_leaf(self) -> bool:
        """Whether the layer contains no other layers."""
        return next(self.layer.children(), None) is None


def layer_calls(model: nn.Module, image: Tensor) -> list[LayerCall]:
    """Record all calls of all layers, in the order in which they end.

    The output of a layer and the input of the next one are the same tensor in the same state, so
    that they can be followed. If a shortcut is added in place, as in a block of ResNet, it is the
    same tensor in another state.

    Args:
        model: Maps images to logits.
        image: A batch of its input.
    """
    calls: list[LayerCall] = []
    inputs: list[State | None] = []  # of the layers that have started and not ended

    def begin(module: nn.Module, args: tuple) -> None:
        inputs.append(_state(args[0]) if args else None)

    def ender(name: str) -> Callable[..., None]:
        def end(module: nn.Module, args: tuple, output: object) -> None:
            tensor = output if isinstance(output, Tensor) else None
            calls.append(LayerCall(name, module, inputs.pop(), _state(output), tensor))

        return end

    with ExitStack() as hooks, torch.no_grad():
        for name, module in model.named_modules():
            hooks.callback(module.register_forward_pre_hook(begin).remove)
            hooks.callback(module.register_forward_hook(ender(name)).remove)
        model(image)
    return calls


def _state(value: object) -> State | None:
    return (id(value), value._version) if isinstance(value, Tensor) else None


def source(calls: Sequence[LayerCall], state: State | None) -> int | None:
    """Index of the last leaf layer whose output has a state; None if there is none."""
    found = [
        index for index, call in enumerate(calls) if call.output_state == state and call.is_leaf
    ]
    return found[-1] if found and state is not None else None


def follower(calls: Sequence[LayerCall], index: int) -> int | None:
    """Index of the norm or activation that takes the output of a layer; None if there is none."""
    state = calls[index].output_state
    for after, call in enumerate(calls[index + 1 :], index + 1):
        if call.input_state == state is not None and isinstance(call.layer, NORMS + ACTIVATIONS):
            return after
    return None
