"""Grad-CAM++: channels with few positive gradients count as much as those with many."""

from torch import Tensor, nn
from torch.nn.functional import relu

from models.explain.class_activation.capture import features_and_gradient, to_heat
from models.explain.map_layout import ToMap


def grad_cam_plus_plus(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al., 2018): several objects of a class count equally.

    Arguments, result and errors are those of `grad_cam`. The weight of a channel is the sum of
    a * relu(g) over its positions, where g is the gradient, and a = g² / (2 g² + s g³) with s the
    sum of the channel's activations. For positive g, the only ones that count, the product is
    g / (2 + s g). The paper's activations come after a ReLU; negative ones are left out of s, so
    that nothing is divided by zero.
    """
    features, gradient = features_and_gradient(model, layer, images, classes, to_map)
    total = relu(features).sum(dim=(2, 3), keepdim=True)
    gradient = relu(gradient)
    weights = (gradient / (2 + total * gradient)).sum(dim=(2, 3), keepdim=True)
    return to_heat((weights * features).sum(dim=1), images)
