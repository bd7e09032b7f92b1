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
    """SmoothGrad (Smilkov et al., 2017): reduce the noise of a gradient by noise in the image.

    The noise is the same for each image of a batch and has its own generator, so that a result does
    not depend on the other images, nor on the random numbers of the training.

    Args:
        model: Maps images to logits; in eval mode.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        num_samples: Number of noisy copies of each image; one forward and backward pass for each.
        noise: Standard deviation of the noise relative to the range of each image; 0.1 to 0.2 in
            the paper.
        seed: Seed of the noise.

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
