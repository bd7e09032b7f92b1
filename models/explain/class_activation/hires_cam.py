"""HiResCAM: gradients and features are multiplied position by position."""

from torch import Tensor, nn

from models.explain.class_activation.capture import features_and_gradient, to_heat
from models.explain.map_layout import ToMap


def hires_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """HiResCAM (Draelos and Carin, 2020): exactly the positions that the network used.

    Arguments, result and errors are those of `grad_cam`, which averages the gradient of a channel
    over positions first and can therefore mark positions that did not matter.
    """
    features, gradient = features_and_gradient(model, layer, images, classes, to_map)
    return to_heat((gradient * features).sum(dim=1), images)
