"""Which layers an image passes, in which order, and what each hands on to the next."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Softplus, nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh),
)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


class Use(NamedTuple):
    """One call of a layer.

    Attributes:
        name: Full name of the layer.
        layer: The layer.
        given: What it took, if that is a tensor.
        output: What it put out, if that is a tensor.
    """

    name: str
    layer: nn.Module
    given: Tensor | None
    output: Tensor | None

    @property
    def is_leaf(self) -> bool:
        """Whether the layer holds no others."""
        return next(self.layer.children(), None) is None


def uses_of(model: nn.Module, image: Tensor) -> list[Use]:
    """Every call of every layer, in the order in which they end.

    A tensor that one layer puts out and the next one takes is the same object, also where the next
    one works in place, so they can be followed.

    Args:
        model: Maps images to logits.
        image: A batch that the model takes.
    """
    uses: list[Use] = []

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: tuple, output: object) -> None:
            given = args[0] if args and isinstance(args[0], Tensor) else None
            uses.append(Use(name, module, given, output if isinstance(output, Tensor) else None))

        return record

    handles = [
        module.register_forward_hook(recorder(name)) for name, module in model.named_modules()
    ]
    try:
        with torch.no_grad():
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return uses


def source(uses: Sequence[Use], tensor: Tensor | None) -> int | None:
    """Place of the last layer without layers of its own that put out this tensor; None if none."""
    places = [i for i, use in enumerate(uses) if use.output is tensor and use.is_leaf]
    return places[-1] if places and tensor is not None else None


def follower(uses: Sequence[Use], place: int) -> int | None:
    """Place of the norm or activation that takes just what a layer puts out; None if none."""
    tensor = uses[place].output
    for index, use in enumerate(uses[place + 1 :], place + 1):
        if (
            use.given is tensor
            and tensor is not None
            and isinstance(use.layer, NORMS + ACTIVATIONS)
        ):
            return index
    return None
