"""Saliency: how much each pixel matters for the logit of a class.

All methods take a model, images and classes, and return signed attributions (N, C, H, W).
"""

from collections.abc import Callable

from torch import Tensor, nn

from models.explain.saliency.gradient import gradient_times_input, vanilla_gradient
from models.explain.saliency.integrated_gradients import integrated_gradients
from models.explain.saliency.relu_rules import guided_backpropagation, rectified_gradient
from models.explain.saliency.smooth_grad import smooth_grad

SaliencyMethod = Callable[[nn.Module, Tensor, Tensor], Tensor]

SALIENCIES: dict[str, SaliencyMethod] = {
    "vanilla": vanilla_gradient,
    "guided": guided_backpropagation,
    "rectified": rectified_gradient,
    "smooth_grad": smooth_grad,
    "gradient_times_input": gradient_times_input,
    "integrated_gradients": integrated_gradients,
}

__all__ = [
    "SALIENCIES",
    "SaliencyMethod",
    "gradient_times_input",
    "guided_backpropagation",
    "integrated_gradients",
    "rectified_gradient",
    "smooth_grad",
    "vanilla_gradient",
]
