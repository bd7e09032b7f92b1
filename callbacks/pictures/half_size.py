"""Half size: images of half the height and width, where a budget asks for less work."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from callbacks.pictures.picture import PictureContext

LEAST = 64  # pixels of a side that is worth looking at


def half_sized(context: PictureContext) -> PictureContext | None:
    """The context with images of half the size; None if the network does not take these.

    What a network makes of them takes a quarter of the work. Only pictures of what the network has
    learned may use it, not those that judge it: its accuracy differs.

    Args:
        context: See `Picture`.
    """
    image = context.sample(1)[0]
    if min(image.shape[2:]) < 2 * LEAST:
        return None
    try:
        with torch.no_grad():
            context.model(avg_pool2d(image, 2))
    except (AssertionError, RuntimeError, ValueError):  # one position embedding for each patch
        return None

    def sample(num_images: int) -> tuple[Tensor, Tensor]:
        images, labels = context.sample(num_images)
        return avg_pool2d(images, 2), labels

    return replace(context, sample=sample)
