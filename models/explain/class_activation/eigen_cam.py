"""Eigen-CAM: the first principal component of the features."""

import torch
from torch import Tensor, nn

from models.explain.class_activation.capture import features_of, to_heat
from models.explain.map_layout import ToMap


def eigen_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """Eigen-CAM (Muhammad and Yeasin, 2020): where a layer is activated, whatever the class.

    The features of each image are projected on their first principal direction, uncentred as in
    the paper. The sign is chosen so that the sum of the map is positive: after a ReLU the map has
    one sign.

    Arguments, result and errors are those of `grad_cam`; there is no gradient, and `classes` is
    not used.
    """
    features = features_of(model, layer, images, to_map)
    positions, strengths, _ = torch.linalg.svd(features.flatten(2).mT, full_matrices=False)
    maps = (positions[:, :, 0] * strengths[:, :1]).unflatten(1, features.shape[2:])
    upside_down = maps.sum(dim=(1, 2), keepdim=True) < 0
    return to_heat(torch.where(upside_down, -maps, maps), images)
