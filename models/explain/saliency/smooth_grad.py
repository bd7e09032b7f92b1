"""SmoothGrad: the mean gradient of noisy copies of an image."""

import torch
from torch import Tensor, nn

from models.explain.saliency.gradient import vanilla_gradient


def smooth_grad(
    model: nn.Module,
    images: Tensor,
    classes: Tensor,
    num_samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
) -> Tensor:
    """SmoothGrad (Smilkov et al., 2017): take noise out of a gradient by adding noise to the image.

    The noise is the same for each image of a batch, so what is said of an image does not depend on
    its neighbours, nor on the random numbers of the training.

    Args:
        model: Maps images to logits; in eval mode.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        num_samples: Noisy copies of each image; as many passes forward and backward.
        noise: Standard deviation of the noise as a share of each image's range; 0.1 to 0.2 in the
            paper.
        seed: Of the noise.

    Returns:
        Signed attributions (N, C, H, W), as those of `vanilla_gradient`.
    """
    generator = torch.Generator().manual_seed(seed)
    scale = noise * (images.amax(dim=(1, 2, 3)) - images.amin(dim=(1, 2, 3)))[:, None, None, None]
    total = torch.zeros_like(images)
    for _ in range(num_samples):
        drawn = torch.randn(images.shape[1:], generator=generator).to(images)
        total += vanilla_gradient(model, images + scale * drawn, classes)
    return total / num_samples
