"""Evidence for classes: Grad-CAM of many images, also of an ensemble."""

import torch
from torch import Tensor, nn

from callbacks.pictures.picture import PictureContext
from models.ensemble import networks_of
from models.explain import NothingToShow, grad_cam, last_feature_map

BATCH_SIZE = 16  # images that are explained at once


def evidence_for(context: PictureContext, images: Tensor, classes: Tensor) -> Tensor | None:
    """Grad-CAM of classes, (N, H, W) in [0, 1]; None if the network has no feature map.

    Of an ensemble, the mean over its networks.

    Args:
        context: See `Picture`.
        images: (N, C, H, W) in [0, 1].
        classes: The class to explain for each image, (N,).
    """
    try:
        maps = [_evidence(network, images, classes) for network in networks_of(context.model)]
    except NothingToShow:
        return None
    return torch.stack(maps).mean(dim=0)


def _evidence(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    device = next(network.parameters()).device
    layer, to_map = last_feature_map(network, images[:1].to(device))
    module = network.get_submodule(layer)
    batches = zip(images.split(BATCH_SIZE), classes.split(BATCH_SIZE), strict=True)
    maps = [
        grad_cam(network, module, batch.to(device), of_batch.to(device), to_map)
        for batch, of_batch in batches
    ]
    return torch.cat(maps).cpu()
