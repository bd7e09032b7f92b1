"""Explanation methods by name, all with the same arguments and result."""

import difflib

from torch import Tensor, nn

from models.explain.class_activation import CLASS_ACTIVATIONS
from models.explain.last_feature_map import last_feature_map
from models.explain.layers import find_layer
from models.explain.saliency import SALIENCIES
from models.explain.sanity_checks.randomization import Explain


def explanation(method: str, model: nn.Module, images: Tensor, layer: str | None = None) -> Explain:
    """Function that makes maps with a method; for saliency, the largest magnitude over channels.

    Args:
        method: A name in `CLASS_ACTIVATIONS` or `SALIENCIES`.
        model: The network; the function also takes copies of it.
        images: A batch of its input.
        layer: The layer for class activation; None for the one of `last_feature_map`.

    Raises:
        ValueError: If the method or the layer does not exist.
        NothingToShow: If no layer returns a feature map.
    """
    if method in SALIENCIES:
        saliency = SALIENCIES[method]
        return lambda network, images, classes: saliency(network, images, classes).abs().amax(dim=1)
    check_method(method)
    class_activation = CLASS_ACTIVATIONS[method]
    if layer is None:
        name, to_map = last_feature_map(model, images)
    else:
        name, to_map = find_layer(model, layer), None

    def explain(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
        found = class_activation(network, network.get_submodule(name), images, classes, to_map)
        return found.float()

    return explain


def check_method(method: str) -> None:
    """Check the name of a method.

    Raises:
        ValueError: If the method does not exist.
    """
    known = [*CLASS_ACTIVATIONS, *SALIENCIES]
    if method not in known:
        near = difflib.get_close_matches(method, known)
        names = f"Near names: {', '.join(near)}" if near else f"Expected {', '.join(known)}"
        raise ValueError(f"There is no explanation method {method!r}. {names}.")
