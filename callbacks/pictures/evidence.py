"""Evidence for classes: heat maps of many images, in batches."""

import torch
from torch import Tensor

from callbacks.pictures.picture import PictureContext
from models.explain import NothingToShow, class_evidence

BATCH_SIZE = 16  # images that are explained at once


def evidence_for(
    context: PictureContext, images: Tensor, classes: Tensor
) -> tuple[Tensor | None, str]:
    """Evidence for classes by the default method, (N, H, W) in [0, 1], and its name.

    The maps are None if no method works for the network.

    Args:
        context: See `Picture`.
        images: (N, C, H, W) in [0, 1].
        classes: The class to explain for each image, (N,).
    """
    model, device = context.model, next(context.model.parameters()).device
    try:
        method, _, explain = class_evidence("auto", model, images[:1].to(device))
        batches = zip(images.split(BATCH_SIZE), classes.split(BATCH_SIZE), strict=True)
        maps = [explain(model, some.to(device), wanted.to(device)) for some, wanted in batches]
    except NothingToShow:
        return None, ""
    return torch.cat(maps).float().cpu(), method
