"""Grad-CAM: channels are weighted by their mean gradients."""

from torch import Tensor, nn

from models.explain.class_activation.capture import features_and_gradient, to_heat
from models.explain.map_layout import ToMap


def grad_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """Grad-CAM (Selvaraju et al., 2017): where a layer finds its evidence for a class.

    The channels are weighted by their mean gradients and summed; the positive part is the evidence.
    The minimum is not subtracted, as in the paper: zero means no evidence, and a map may have none.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model whose output is a feature map.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        to_map: Reshapes the layer's output to (N, D, h, w); None for `map_layout`.

    Returns:
        Maps (N, H, W) in [0, 1]. Each has the maximum 1, or is 0 everywhere if the image has no
        evidence for the class.

    Raises:
        ValueError: If the layer is not called, or its output is not a feature map.
    """
    features, gradient = features_and_gradient(model, layer, images, classes, to_map)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return to_heat((weights * features).sum(dim=1), images)
