"""Filters: the weights of convolutions and linear layers as images."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from models.explain.layers import find_layers
from models.explain.map_layout import NothingToShow

Channel = int | Literal["norm"]


def filter_layers(model: nn.Module, patterns: Sequence[str] | None = None) -> list[str]:
    """Names of layers that have filters: convolutions, and linear layers such as patch embeddings.

    Args:
        model: Any network.
        patterns: See `find_layers`; matching layers without filters are left out. None for the
            first convolution, or the first linear layer if there are no convolutions.

    Raises:
        NothingToShow: If `patterns` is None and the network has neither.
        ValueError: If a pattern matches no layer, or only layers without filters.
    """
    if patterns is None:
        for kind in (nn.Conv2d, nn.Linear):
            if first := _inside(model, "", kind)[:1]:
                return first
        raise NothingToShow("The network has no layer whose filters could be shown.")
    found: set[str] = set()
    for pattern in patterns:
        names = find_layers(model, [pattern])
        filtered = {name for name in names if _has_filters(model.get_submodule(name))}
        if not filtered:
            raise ValueError(_no_filters(model, pattern, names[0]))
        found |= filtered
    return [name for name, _ in model.named_modules() if name in found]


def filters_of(
    layer: nn.Module,
    num_filters: int = 64,
    channel: Channel = 0,
    initial: Tensor | None = None,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """The first filters of a layer as images.

    Args:
        layer: One of `filter_layers`.
        num_filters: Number of filters at most.
        channel: For filters that do not take RGB: the input channel whose weights are returned,
            counted within its group, or `norm` for the Euclidean norm over the input channels.
        initial: Earlier weights to subtract, to show what has changed.
        image_shape: (C, H, W) of the images if they are the input of the layer. The filters of a
            linear layer are then images, or square patches with their channels last.

    Returns:
        The filters on the CPU, in float32. The shape is (n, h, w, 3) for filters that take RGB,
        else (n, h, w); for a layer that takes one position at a time, it is (n, inputs).

    Raises:
        ValueError: If the layer does not have this channel.
    """
    weights = layer.get_parameter("weight").detach()[:num_filters].float().cpu()
    if initial is not None:
        weights = weights - initial[:num_filters].float().cpu()
    weights = _as_images(weights, image_shape)
    if weights.ndim == 2 or weights[0, 0].numel() == 1:
        return weights.flatten(1)
    if weights.shape[1] == 3 and getattr(layer, "groups", 1) == 1:
        return weights.movedim(1, -1)
    if channel == "norm":
        return torch.linalg.vector_norm(weights, dim=1)
    if channel >= weights.shape[1]:
        raise ValueError(
            f"Expected a channel below {weights.shape[1]}, the input channels of each filter, or "
            f"'norm', got {channel}."
        )
    return weights[:, channel]


def takes_images(model: nn.Module, name: str) -> bool:
    """Whether a layer is the first one with filters in the network, so that it takes the images."""
    return next(path for path, m in model.named_modules() if _has_filters(m)) == name


def _as_images(weights: Tensor, image_shape: Sequence[int] | None) -> Tensor:
    """Reshape the weights of a linear layer that takes an image or patches."""
    if weights.ndim == 4 or image_shape is None:
        return weights
    channels, height, width = image_shape
    inputs = weights.shape[1]
    if inputs == channels * height * width:
        return weights.view(-1, channels, height, width)
    side = round((inputs / channels) ** 0.5)
    if inputs == channels * side * side:
        return weights.view(-1, side, side, channels).movedim(-1, 1)
    return weights


def _has_filters(module: nn.Module) -> bool:
    return isinstance(module, (nn.Conv2d, nn.Linear))


def _inside(model: nn.Module, prefix: str, kind: type[nn.Module]) -> list[str]:
    names = [name for name, module in model.named_modules() if isinstance(module, kind)]
    return [name for name in names if name.startswith(prefix)]


def _no_filters(model: nn.Module, pattern: str, name: str) -> str:
    kind = type(model.get_submodule(name)).__name__
    known = _inside(model, f"{name}.", nn.Conv2d) or _inside(model, "", nn.Conv2d)
    possible = f", such as {', '.join(known[:3])}" if known else ""
    return (
        f"{pattern!r} is a layer without filters ({kind}). Expected a convolution or a linear "
        f"layer{possible}."
    )
