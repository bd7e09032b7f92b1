"""Grad-CAM: each channel weighs as much as its mean gradient."""

from torch import Tensor, nn

from models.explain.class_activation.capture import features_and_gradient, to_heat
from models.explain.feature_map import ToMap


def grad_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """Grad-CAM (Selvaraju et al., 2017): where a layer found its evidence for a class.

    Channels are weighed by their mean gradient and added up; what is positive is evidence.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model whose output is a feature map.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        to_map: Turns the layer's output into (N, D, h, w); None finds out by its shape.

    Returns:
        Maps (N, H, W) in [0, 1]: each has maximum 1, or is 0 everywhere where nothing in the
        image speaks for the class.

    Raises:
        ValueError: If the layer is not used, or if its output is not a feature map.
    """
    features, gradient = features_and_gradient(model, layer, images, classes, to_map)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return to_heat((weights * features).sum(dim=1), images)
