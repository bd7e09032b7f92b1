"""Explanation methods by name, all with the same arguments and result."""

from torch import Tensor, nn

from models.explain.evidence import Explain, class_evidence
from models.explain.evidence import check_method as check_evidence
from models.explain.saliency import SALIENCIES


def explanation(
    method: str, model: nn.Module, images: Tensor, layer: str | None = None
) -> tuple[str, Explain]:
    """Name of a method, and a function that makes maps with it.

    For saliency, these have the largest magnitude over the channels.

    Args:
        method: A name in `SALIENCIES`, or one that `class_evidence` takes, such as `auto`.
        model: The network; the function also takes copies of it.
        images: A batch of its input.
        layer: See `class_evidence`; for class activation alone.

    Raises:
        ValueError: If the method or the layer does not exist.
        NothingToShow: If the method is not possible for this network.
    """
    if method in SALIENCIES:
        saliency = SALIENCIES[method]
        return (
            method,
            lambda network, images, classes: saliency(network, images, classes).abs().amax(dim=1),
        )
    check_method(method)
    found = class_evidence(method, model, images, layer)
    return found.method, found.explain


def check_method(method: str) -> None:
    """Check the name of a method.

    Raises:
        ValueError: If the method does not exist.
    """
    check_evidence(method, tuple(SALIENCIES))
