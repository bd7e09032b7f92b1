"""LayerCAM: each position of each channel is weighted by its positive gradient."""

from torch import Tensor, nn
from torch.nn.functional import relu

from models.explain.class_activation.capture import features_and_gradient, to_heat
from models.explain.map_layout import ToMap


def layer_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """LayerCAM (Jiang et al., 2021): fine maps from early layers, too.

    Arguments, result and errors are those of `grad_cam`.
    """
    features, gradient = features_and_gradient(model, layer, images, classes, to_map)
    return to_heat((relu(gradient) * features).sum(dim=1), images)
