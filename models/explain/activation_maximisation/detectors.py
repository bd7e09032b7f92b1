"""Which layers of a network look for something, and where they give their answer."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.activation_maximisation.uses import ACTIVATIONS, Use, follower, uses_of
from models.explain.feature_map import NothingToShow


class Detector(NamedTuple):
    """A layer of filters or units.

    Attributes:
        name: Full name of the layer.
        answer: Full name of the layer that puts out its answer: the norm and activation that
            follow it, or itself.
    """

    name: str
    answer: str


def find_detectors(model: nn.Module, image: Tensor, count: int = 3) -> list[Detector]:
    """The first, middle and last convolution of a network, as an image passes them.

    Where there are fewer convolutions than asked for, as in a ViT or a network of linear layers,
    linear layers with an activation serve too.

    Args:
        model: Maps images to logits.
        image: A batch that the model takes.
        count: Layers to find, evenly spread.

    Raises:
        NothingToShow: If the network has neither.
    """
    with torch.inference_mode(False):
        uses = uses_of(model, image.clone())
    found = [_detector(uses, i) for i, use in enumerate(uses) if isinstance(use.layer, nn.Conv2d)]
    if len(found) < count:
        found += [
            _detector(uses, i)
            for i, use in enumerate(uses)
            if isinstance(use.layer, nn.Linear) and _is_activated(uses, i)
        ]
    if not found:
        raise NothingToShow("The network has no convolution, and no linear layer with activation.")
    found = list(dict.fromkeys(found))  # a layer that is used twice is listed once
    places = torch.linspace(0, len(found) - 1, min(count, len(found))).round().int().tolist()
    return [found[place] for place in places]


def _detector(uses: list[Use], place: int) -> Detector:
    return Detector(uses[place].name, uses[_answer(uses, place)].name)


def _answer(uses: list[Use], place: int) -> int:
    """Place of the activation of a layer, else of its norm, else its own."""
    while not isinstance(uses[place].layer, ACTIVATIONS):
        following = follower(uses, place)
        if following is None:
            break
        place = following
    return place


def _is_activated(uses: list[Use], place: int) -> bool:
    return isinstance(uses[_answer(uses, place)].layer, ACTIVATIONS)
