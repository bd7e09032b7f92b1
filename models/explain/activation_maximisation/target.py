"""What is to be maximised: channels of a layer, or classes, without running what comes after."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from models.explain.activation_maximisation.own_filter import (
    is_channelwise,
    own_channel,
    own_filter,
)
from models.explain.activation_maximisation.uses import Use, source, uses_of
from models.explain.feature_map import layout


class Stop(NamedTuple):
    """Where the network is left.

    Attributes:
        layer: A layer on the way.
        call: Which of its calls, from 1.
        is_before: Whether what it takes is read, or what it puts out.
    """

    layer: nn.Module
    call: int
    is_before: bool


class Target:
    """The maps of a layer's channels, one channel for each image.

    The network runs up to the layer only. Of a convolution, and of norm, activation and pooling
    directly after one, just the channel of each image is computed. A ReLU is read before it
    rectifies: what it lets through is the positive part.

    Args:
        model: Maps images to logits.
        layer: Whose channels; None for the logits.
        image: A batch of one image that the model takes.

    Raises:
        ValueError: If the model does not use the layer, or its output has no channels.
    """

    def __init__(self, model: nn.Module, layer: nn.Module | None, image: Tensor) -> None:
        self.model, self.device = model, image.device
        self.is_rectified = isinstance(layer, nn.ReLU)
        self.tail: list[nn.Module] = []
        layer = model if layer is None else layer
        uses = _up_to(layer, uses_of(model, image))
        output = _checked(uses[-1])
        self.to_map = layout(output, image) or _channels_first
        self.num_channels = self.to_map(output).shape[1]
        self.image_bytes = sum(u.output.nbytes for u in uses if u.is_leaf and u.output is not None)
        self.stop = self._convolution_before(uses) or Stop(
            layer, sum(use.layer is layer for use in uses), self.is_rectified
        )

    def maps(self, images: Tensor, channels: Tensor) -> Tensor:
        """The map of channel `channels[i]` for image i, (n, positions)."""
        value = _run_to(self.stop, self.model, images)
        if not isinstance(self.stop.layer, nn.Conv2d) or not self.stop.is_before:
            rows = torch.arange(len(images), device=images.device)
            return self.to_map(value)[rows, channels].flatten(1)
        maps = own_filter(self.stop.layer, value, channels)
        for layer in self.tail:
            maps = own_channel(layer, maps, channels)
        return maps[0].flatten(1)

    def _convolution_before(self, uses: Sequence[Use]) -> Stop | None:
        """Follow the output back to a convolution, if channels stay apart until there."""
        place = source(uses, uses[-1].left)
        while place is not None and is_channelwise(uses[place].layer):
            self.tail.insert(0, uses[place].layer)
            place = source(uses[:place], uses[place].given)
        if place is None or type(layer := uses[place].layer) is not nn.Conv2d:
            return None
        if self.is_rectified:
            self.tail.pop()
        return Stop(layer, sum(use.layer is layer for use in uses[: place + 1]), True)


class _Reached(Exception):
    """Carries what was read out of the network that is not to run on."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value


def _run_to(stop: Stop, model: nn.Module, images: Tensor) -> Tensor:
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
        model(images)
    except _Reached as reached:
        return reached.value
    finally:
        handle.remove()
    raise ValueError("Expected a layer that all images pass; these passed it by.")


def _up_to(layer: nn.Module, uses: list[Use]) -> list[Use]:
    """What happens until a layer is used for the last time."""
    places = [place for place, use in enumerate(uses) if use.layer is layer]
    if not places:
        raise ValueError(f"Expected a layer that the model uses, got {layer}.")
    return uses[: places[-1] + 1]


def _checked(use: Use) -> Tensor:
    """What a layer puts out, if that has channels."""
    output = use.output
    if output is None or not 2 <= output.ndim <= 4 or output.shape[0] != 1:
        got = "no tensor" if output is None else tuple(output.shape)
        raise ValueError(
            f"Expected a layer that puts out (1, D), (1, D, h, w), (1, h, w, D) or (1, tokens, D) "
            f"for one image, got {got} of {use.name!r}."
        )
    return output


def _channels_first(output: Tensor) -> Tensor:
    """Units, maps of one position, or tokens that do not lie as the image does."""
    output = output.mT if output.ndim == 3 else output
    return output.reshape(*output.shape[:2], -1)
