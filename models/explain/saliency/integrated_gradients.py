"""Integrated gradients: gradients averaged over the way from a baseline to the image."""

import torch
from torch import Tensor, nn

from models.explain.saliency.gradient import vanilla_gradient


def integrated_gradients(
    model: nn.Module,
    images: Tensor,
    classes: Tensor,
    num_steps: int = 50,
    baseline: Tensor | float = 0.0,
) -> Tensor:
    """Integrated gradients (Sundararajan et al., 2017): attributions that add up to the logit.

    Their sum over an image is its logit minus that of the baseline, up to the error of the steps.

    Args:
        model: Maps images to logits; in eval mode.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        num_steps: Number of points on the line, the centres of equal parts; one pass for each.
        baseline: Start of the line: a number, 0 for black, or a tensor that broadcasts to images.

    Returns:
        Signed attributions (N, C, H, W).
    """
    difference = images - baseline
    total = torch.zeros_like(images)
    for step in range(num_steps):
        point = baseline + (step + 0.5) / num_steps * difference
        total += vanilla_gradient(model, point, classes)
    return total / num_steps * difference
