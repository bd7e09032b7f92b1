"""Guided backpropagation and rectified gradient: gradients that are rectified at each ReLU."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from models.explain.map_layout import NothingToShow
from models.explain.saliency.gradient import vanilla_gradient

# Functions that the modules, functions and methods of torch call.
RELUS = {functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
BOUNDED_RELUS = {functional.relu6, functional.hardtanh}  # `nn.ReLU6` calls the latter


def guided_backpropagation(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Guided backpropagation (Springenberg et al., 2015): sharp outlines of the evidence.

    At each ReLU the gradient passes where it is positive and the input was positive. Arguments and
    result are those of `vanilla_gradient`. A sharp map does not prove that the explanation is good:
    it resembles an edge detector and depends little on the weights (Adebayo et al., 2018).

    The rule applies to ReLU and ReLU6 as modules or functions, in place or not, however often they
    are called. Other activations, such as GELU and SiLU, keep their own derivative.

    Raises:
        NothingToShow: If the network has no ReLU, so that the result were the vanilla gradient.
    """
    return _gradient_by(_ReluRule(only_open=True), model, images, classes)


def rectified_gradient(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Rectified gradient, as in a DeconvNet (Zeiler and Fergus, 2014).

    At each ReLU the gradient passes where it is positive, whatever the input; otherwise like
    `guided_backpropagation`. So only max pooling passes on what was in the image. A network that
    strides instead, such as EfficientNet, has the same map for every image of a class, with the
    pattern of its strides, and a ResNet nearly so (Springenberg et al., 2015, section 3.4).

    Raises:
        NothingToShow: If the network has no ReLU, so that the result were the vanilla gradient.
    """
    return _gradient_by(_ReluRule(only_open=False), model, images, classes)


def _gradient_by(rule: "_ReluRule", model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    with rule:
        attributions = vanilla_gradient(model, images, classes)
    if not rule.num_relus:
        raise NothingToShow("The network has no ReLU at which the gradient could be rectified.")
    return attributions


class _ReluRule(TorchFunctionMode):
    """Context in which each ReLU that is called has a modified gradient.

    The network itself is not changed: there are no hooks, and no modules are replaced.
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
    """Upper bound of a function that is a ReLU, maybe infinite; None for other functions."""
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
