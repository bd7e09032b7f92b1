"""Target of activation maximisation: channels of a layer, or classes."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from models.explain.activation_maximisation.channel_per_image import (
    channel_per_image,
    filter_per_image,
    is_channelwise,
)
from models.explain.activation_maximisation.layer_calls import LayerCall, layer_calls, source
from models.explain.map_layout import map_layout


class Stop(NamedTuple):
    """Where the forward pass ends.

    Attributes:
        layer: A layer of the network.
        call: Which of its calls, counted from 1.
        is_before: Whether its input is read instead of its output.
    """

    layer: nn.Module
    call: int
    is_before: bool


class Target:
    """Maps of a layer's channels, one channel per image.

    The network runs only up to the layer. For a convolution, and for a norm, activation or pooling
    directly after one, only the channel of each image is computed. For a ReLU the maps are its
    input, whose positive part is its output.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model; None for the logits.
        image: A batch of one image.

    Raises:
        ValueError: If the model does not call the layer, or its output has no channels.
    """

    def __init__(self, model: nn.Module, layer: nn.Module | None, image: Tensor) -> None:
        self.model, self.device = model, image.device
        self.is_rectified = isinstance(layer, nn.ReLU)
        self.tail: list[nn.Module] = []
        layer = model if layer is None else layer
        calls = _up_to(layer, layer_calls(model, image))
        output = _checked(calls[-1])
        self.to_map = map_layout(output, image) or _channels_first
        self.num_channels = self.to_map(output).shape[1]
        self.image_bytes = sum(c.output.nbytes for c in calls if c.is_leaf and c.output is not None)
        self.weights = convolution_weights(model, image.device.type)
        self.stop = self._convolution_before(calls) or Stop(
            layer, sum(call.layer is layer for call in calls), self.is_rectified
        )

    def maps(self, images: Tensor, channels: Tensor) -> Tensor:
        """The map of channel `channels[i]` for image i, (n, positions)."""
        value = _run_to(self.stop, self.model, self.weights, images)
        if not isinstance(self.stop.layer, nn.Conv2d) or not self.stop.is_before:
            rows = torch.arange(len(images), device=images.device)
            return self.to_map(value)[rows, channels].flatten(1)
        maps = filter_per_image(self.stop.layer, value, channels)
        for layer in self.tail:
            maps = channel_per_image(layer, maps, channels)
        return maps[0].flatten(1)

    def _convolution_before(self, calls: Sequence[LayerCall]) -> Stop | None:
        """Follow the output back to a convolution, if no layer in between mixes channels."""
        index = source(calls, calls[-1].output_state)
        while index is not None and is_channelwise(calls[index].layer):
            self.tail.insert(0, calls[index].layer)
            index = source(calls[:index], calls[index].input_state)
        if index is None or type(layer := calls[index].layer) is not nn.Conv2d:
            return None
        if self.is_rectified:
            self.tail.pop()
        return Stop(layer, sum(call.layer is layer for call in calls[: index + 1]), True)


class _Reached(Exception):
    """Ends the forward pass, and carries the tensor that was read."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value


def _run_to(stop: Stop, model: nn.Module, weights: dict[str, Tensor], images: Tensor) -> Tensor:
    calls = 0

    def leave(module: nn.Module, args: tuple, *output: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == stop.call:
            raise _Reached(args[0] if stop.is_before else output[0])

    layer = stop.layer
    hook: Callable[..., Any] = (
        layer.register_forward_pre_hook if stop.is_before else layer.register_forward_hook
    )
    handle = hook(leave)
    try:
        functional_call(model, weights, images)
    except _Reached as reached:
        return reached.value
    finally:
        handle.remove()
    raise ValueError("Expected a layer that is called for all images; for these it was not.")


def convolution_weights(model: nn.Module, device: str) -> dict[str, Tensor]:
    """Weights of the convolutions, as they are fastest for many passes, by their full names.

    They are in the precision of autocast, which else would convert them in each pass, and their
    channels are last. They need no gradient.

    Args:
        model: The network, which stays as it is.
        device: Type of its device.
    """
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return {
        f"{name}.weight": _channels_last(module.weight.detach(), dtype)
        for name, module in model.named_modules()
        if type(module) is nn.Conv2d
    }


def _channels_last(weight: Tensor, dtype: torch.dtype | None) -> Tensor:
    """A copy: `contiguous` would leave the strides of a single input channel as they are."""
    options = {"dtype": dtype or weight.dtype, "memory_format": torch.channels_last}
    return torch.empty_like(weight, **options).copy_(weight)


def _up_to(layer: nn.Module, calls: list[LayerCall]) -> list[LayerCall]:
    """The calls up to the last one of a layer."""
    places = [place for place, call in enumerate(calls) if call.layer is layer]
    if not places:
        raise ValueError(f"Expected a layer that the model calls, got {layer}.")
    return calls[: places[-1] + 1]


def _checked(use: LayerCall) -> Tensor:
    """The output of a layer, if it has channels."""
    output = use.output
    if output is None or not 2 <= output.ndim <= 4 or output.shape[0] != 1:
        got = "no tensor" if output is None else tuple(output.shape)
        raise ValueError(
            f"Expected a layer that returns (1, D), (1, D, h, w), (1, h, w, D) or (1, tokens, D) "
            f"for one image, got {got} of {use.name!r}."
        )
    return output


def _channels_first(output: Tensor) -> Tensor:
    """Reshape units, maps of one position, or tokens that are not a map, to (1, D, positions)."""
    output = output.mT if output.ndim == 3 else output
    return output.reshape(*output.shape[:2], -1)
