"""Gradients that lose their negative part at every ReLU on the way back to the pixels."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from models.explain.feature_map import NothingToShow
from models.explain.saliency.gradient import vanilla_gradient

# What modules, functions and methods of torch end in, in place or not.
RELUS = {functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
BOUNDED_RELUS = {functional.relu6, functional.hardtanh}  # `nn.ReLU6` calls the latter


def guided_backpropagation(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Guided backpropagation (Springenberg et al., 2015): sharp outlines of what speaks for it.

    At every ReLU the signal passes where it is positive and the ReLU was open. Arguments and
    result are those of `vanilla_gradient`. A sharp map is no proof of a good explanation: it
    resembles an edge detector and depends little on the weights (Adebayo et al., 2018).

    Every ReLU and ReLU6 counts, be it a module, a function, in place, or used several times.
    Other activations, such as GELU and SiLU, have no such rule and keep their own derivative.

    Raises:
        NothingToShow: If the network has no ReLU, so that this is the vanilla gradient.
    """
    return _gradient_by(_ReluRule(only_open=True), model, images, classes)


def rectified_gradient(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Rectified gradient, the way of a DeconvNet (Zeiler and Fergus, 2014).

    At every ReLU the signal passes where it is positive, whether or not the ReLU was open; else as
    `guided_backpropagation`.

    Raises:
        NothingToShow: If the network has no ReLU, so that this is the vanilla gradient.
    """
    return _gradient_by(_ReluRule(only_open=False), model, images, classes)


def _gradient_by(rule: "_ReluRule", model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    with rule:
        attributions = vanilla_gradient(model, images, classes)
    if not rule.num_relus:
        raise NothingToShow("The network has no ReLU, at which a gradient could be rectified.")
    return attributions


class _ReluRule(TorchFunctionMode):
    """While it is entered, every ReLU that is called sends back another gradient.

    The network itself stays as it is: there is no hook to remove, and no module to put back.
    """

    def __init__(self, only_open: bool) -> None:
        super().__init__()
        self.only_open, self.num_relus = only_open, 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        limit = _limit(func, kwargs)
        if limit is None:
            return func(*args, **kwargs)
        self.num_relus += 1
        inputs = args[0] if args else kwargs["input"]
        outputs = _Rectify.apply(inputs, limit, self.only_open)
        in_place = kwargs.get("inplace") or func in (torch.relu_, Tensor.relu_)
        return inputs.copy_(outputs) if in_place else outputs


def _limit(func: Callable[..., Any], options: dict[str, Any]) -> float | None:
    """Up to where a function is a ReLU; None if it is something else."""
    if func in RELUS:
        return float("inf")
    if func in BOUNDED_RELUS and options.get("min_val", 0) == 0:
        return options.get("max_val", 6.0)
    return None


class _Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, limit: float, only_open: bool) -> Tensor:
        ctx.open = (inputs > 0) & (inputs < limit) if only_open else None
        return inputs.clamp(0, limit)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        signal = signal.clamp_min(0)
        return signal if ctx.open is None else signal * ctx.open, None, None
