"""Vanilla gradient and gradient times input: derivatives of a logit by the pixels."""

import torch
from torch import Tensor, nn


def vanilla_gradient(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Vanilla gradient (Simonyan et al., 2014): which pixels change the logit of a class most.

    It takes one backward pass for all images. Parameters get no gradient, and may be frozen.

    Args:
        model: Maps images to logits; in eval mode, so that the images are independent.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).

    Returns:
        Signed attributions (N, C, H, W), the derivative of the logit by each pixel.
    """
    with torch.inference_mode(False), torch.enable_grad():
        images = images.detach().clone().requires_grad_()
        score = model(images).gather(1, classes.clone()[:, None]).sum()
        return torch.autograd.grad(score, images)[0]


def gradient_times_input(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Gradient times input (Shrikumar et al., 2016): what each pixel contributes to the logit.

    Arguments and result are those of `vanilla_gradient`. Exact for a linear model without bias.
    """
    return vanilla_gradient(model, images, classes) * images
