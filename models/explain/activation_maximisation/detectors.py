"""Feature detectors: layers of filters or units, and the layers that return their activations."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.activation_maximisation.layer_calls import (
    ACTIVATIONS,
    LayerCall,
    follower,
    layer_calls,
)
from models.explain.map_layout import NothingToShow


class Detector(NamedTuple):
    """A layer of filters or units.

    Attributes:
        name: Full name of the layer.
        output: Full name of the layer that returns its activations: the activation or norm that
            follows it, or the layer itself.
    """

    name: str
    output: str


def find_detectors(model: nn.Module, image: Tensor, count: int = 3) -> list[Detector]:
    """The first, middle and last convolution of a network, in the order of the forward pass.

    If there are fewer convolutions, as in a ViT or an MLP, linear layers with an activation count,
    too.

    Args:
        model: Maps images to logits.
        image: A batch of its input.
        count: Number of layers to find, evenly spread.

    Raises:
        NothingToShow: If the network has neither.
    """
    with torch.inference_mode(False):
        calls = layer_calls(model, image.clone())
    found = [
        _detector(calls, i) for i, call in enumerate(calls) if isinstance(call.layer, nn.Conv2d)
    ]
    if len(found) < count:
        found += [
            _detector(calls, i)
            for i, call in enumerate(calls)
            if isinstance(call.layer, nn.Linear) and _is_activated(calls, i)
        ]
    if not found:
        raise NothingToShow("The network has no convolution, and no linear layer with activation.")
    found = list(dict.fromkeys(found))  # a layer that is called twice is listed once
    places = torch.linspace(0, len(found) - 1, min(count, len(found))).round().int().tolist()
    return [found[place] for place in places]


def activated_detectors(model: nn.Module, image: Tensor, names: Sequence[str]) -> list[Detector]:
    """Named layers, each with the norm and activation that follow it, if any.

    Args:
        model: Maps images to logits.
        image: A batch of its input.
        names: Full names, see `find_layers`. Of a layer that is called several times, the last
            call counts.
    """
    with torch.inference_mode(False):
        calls = layer_calls(model, image.clone())
    places = {call.name: place for place, call in enumerate(calls)}
    return [
        _detector(calls, places[name]) if name in places else Detector(name, name) for name in names
    ]


def _detector(calls: list[LayerCall], index: int) -> Detector:
    return Detector(calls[index].name, calls[_output(calls, index)].name)


def _output(calls: list[LayerCall], index: int) -> int:
    """Index of the activation after a layer, else of its norm, else of the layer."""
    while not isinstance(calls[index].layer, ACTIVATIONS):
        following = follower(calls, index)
        if following is None:
            break
        index = following
    return index


def _is_activated(calls: list[LayerCall], index: int) -> bool:
    return isinstance(calls[_output(calls, index)].layer, ACTIVATIONS)
