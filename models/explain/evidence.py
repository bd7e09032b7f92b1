"""Class evidence: heat maps of evidence for a class, by the name of a method."""

import difflib
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.ensemble import networks_of
from models.explain.attention import ATTENTION_METHODS, attention_modules
from models.explain.class_activation import CLASS_ACTIVATIONS
from models.explain.last_feature_map import last_feature_map
from models.explain.layers import find_layer, short_name
from models.explain.map_layout import NothingToShow

AUTO = "auto"

# Maps a network, images (N, C, H, W) and the class to explain for each (N,) to maps (N, H, W).
Explain = Callable[[nn.Module, Tensor, Tensor], Tensor]


class ClassEvidence(NamedTuple):
    """A method for a network.

    Attributes:
        method: Its name; never `auto`.
        where: What of the network is explained, for a title: `layer blocks`.
        explain: Makes the maps; it also takes copies of the network.
    """

    method: str
    where: str
    explain: Explain


def class_evidence(
    method: str, model: nn.Module, images: Tensor, layer: str | None = None
) -> ClassEvidence:
    """Prepare a method of class activation or for transformers.

    Args:
        method: A name in `CLASS_ACTIVATIONS` or `ATTENTION_METHODS`; or `auto`, for
            gradient-weighted attention rollout where the network allows it, and Grad-CAM elsewhere.
        model: The network. The maps of an ensemble are the means of those of its networks.
        images: A batch of its input.
        layer: The layer for class activation; None for the one of `last_feature_map`.

    Raises:
        ValueError: If the method or the layer does not exist, or the method takes no layer.
        NothingToShow: If the method is not possible for this network.
    """
    parts = [_of_network(method, network, images, layer) for network in networks_of(model)]
    if len(parts) == 1:
        return parts[0]

    def explain(ensemble: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
        pairs = zip(parts, networks_of(ensemble), strict=True)
        return torch.stack([part.explain(one, images, classes) for part, one in pairs]).mean(dim=0)

    where = f"{parts[0].where}, mean of {len(parts)} networks"
    return ClassEvidence(parts[0].method, where, explain)


def check_method(method: str, more: tuple[str, ...] = ()) -> None:
    """Check the name of a method.

    Args:
        method: The name.
        more: Further names that are possible.

    Raises:
        ValueError: If the method does not exist.
    """
    known = [*CLASS_ACTIVATIONS, *ATTENTION_METHODS, AUTO, *more]
    if method not in known:
        near = difflib.get_close_matches(method, known)
        names = f"Near names: {', '.join(near)}" if near else f"Expected {', '.join(known)}"
        raise ValueError(f"There is no explanation method {method!r}. {names}.")


def _of_network(method: str, model: nn.Module, images: Tensor, layer: str | None) -> ClassEvidence:
    check_method(method)
    if method == AUTO:
        method = _default_method(model, images) if layer is None else "grad_cam"
    if method in ATTENTION_METHODS:
        if layer is not None:
            raise ValueError(f"{method} explains all layers together, so it takes no layer.")
        count = len(attention_modules(model))
        where = f"{count} attention layers" if count > 1 else "1 attention layer"
        return ClassEvidence(method, where, ATTENTION_METHODS[method])
    class_activation, to_map = CLASS_ACTIVATIONS[method], None
    if layer is None:
        name, to_map = last_feature_map(model, images)
    else:
        name = find_layer(model, layer)

    def explain(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
        return class_activation(network, network.get_submodule(name), images, classes, to_map)

    return ClassEvidence(method, f"layer {short_name(model, name)}", explain)


def _default_method(model: nn.Module, images: Tensor) -> str:
    """The method that was better in deletion, insertion and pointing; see `docs/decisions.md`."""
    if attention_modules(model):
        with suppress(NothingToShow):
            image = images[:1]
            label = torch.zeros(1, dtype=torch.long, device=image.device)
            ATTENTION_METHODS["gradient_rollout"](model, image, label)
            return "gradient_rollout"
    return "grad_cam"
