"""Every method of explaining as one kind of function, so that all are tested alike."""

import difflib

from torch import Tensor, nn

from models.explain.class_activation import CLASS_ACTIVATIONS
from models.explain.feature_map import last_feature_map
from models.explain.honesty.randomization import Explain
from models.explain.layers import find_layer
from models.explain.saliency import SALIENCIES


def explanation(method: str, model: nn.Module, images: Tensor, layer: str | None = None) -> Explain:
    """What makes maps by a method's name; of saliency the largest magnitude over the channels.

    Args:
        method: One of `CLASS_ACTIVATIONS` or `SALIENCIES`.
        model: Whose layers are looked at; the maps may be asked for of its copies too.
        images: A batch that the model takes.
        layer: What class activation looks at; None for the deepest layer that puts out a map.

    Raises:
        ValueError: If there is no such method, or no such layer.
        NothingToShow: If no layer puts out a map.
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
        return class_activation(network, network.get_submodule(name), images, classes, to_map)

    return explain


def check_method(method: str) -> None:
    """Refuse a name that no method has.

    Raises:
        ValueError: If there is no such method.
    """
    known = [*CLASS_ACTIVATIONS, *SALIENCIES]
    if method not in known:
        near = difflib.get_close_matches(method, known)
        names = f"Near names: {', '.join(near)}" if near else f"There are {', '.join(known)}"
        raise ValueError(f"There is no method of explaining {method!r}. {names}.")
