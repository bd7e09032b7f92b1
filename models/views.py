"""Test-time augmentation: predictions averaged over several views of an image."""

from collections.abc import Callable
from math import log

from torch import Tensor


def logits_of_views(
    network: Callable[[Tensor], Tensor], images: Tensor, num_classes: int
) -> Tensor:
    """Logits of images, averaged over their views if there are several.

    Args:
        network: Maps images (N, C, H, W) to logits (N, num_classes).
        images: (N, C, H, W), or (N, views, C, H, W); N may be 0.
        num_classes: Number of logits.

    Returns:
        Logits (N, num_classes); of several views, the logarithm of their mean probability.
    """
    if len(images) == 0:  # some networks fail with an empty batch
        return images.new_zeros(0, num_classes)
    if images.ndim == 4:
        return network(images)
    num_images, num_views = images.shape[:2]
    logits = network(images.flatten(0, 1)).unflatten(0, (num_images, num_views))
    return logits.log_softmax(dim=2).logsumexp(dim=1) - log(num_views)
