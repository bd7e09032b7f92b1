"""Number of images that a picture can afford, by counted work."""

import torch

from callbacks.pictures.picture import PictureContext
from models.explain.work import counted_operations, speed_of


def affordable(context: PictureContext, passes: int, seconds: float, fewest: int, most: int) -> int:
    """Number of images whose forward passes take some seconds of a typical device.

    Args:
        context: See `Picture`.
        passes: Forward passes for each image; one backwards counts as two.
        seconds: See `models.explain.work`.
        fewest: Images at least.
        most: Images at most.
    """
    image = context.sample(1)[0]
    with torch.no_grad(), counted_operations() as counter:
        context.model(image)
    allowed = seconds * speed_of(image.device) / (passes * max(counter.operations, 1))
    return min(max(int(allowed), fewest), most)
