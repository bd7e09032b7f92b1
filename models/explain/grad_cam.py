"""Grad-CAM (Selvaraju et al., 2017): where in the image a layer found its evidence for a class."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from models.explain.feature_map import ToMap, layout


def grad_cam(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> Tensor:
    """Weigh the channels of a layer by their mean gradient and add them up.

    The gradient is taken with respect to the layer's output only, so nothing before the layer is
    differentiated, and frozen networks are explained too.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model whose output is a feature map.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        to_map: Turns the layer's output into (N, D, h, w); None finds out by its shape.

    Returns:
        Maps (N, H, W) in [0, 1]: each has maximum 1, or is 0 everywhere where nothing in the
        image speaks for the class.

    Raises:
        ValueError: If the output of the layer is not a feature map.
    """
    outputs: list[Tensor] = []

    def cut(module: nn.Module, args: object, output: Tensor) -> Tensor:
        outputs.append(output.detach().requires_grad_())
        # A copy, so that a layer that works in place after this one does not change the output.
        return outputs[-1].clone()

    handle = layer.register_forward_hook(cut)
    try:
        # Works inside `validate` too, which runs in inference mode without gradients.
        with torch.inference_mode(False), torch.enable_grad():
            score = model(images.clone()).gather(1, classes.clone()[:, None]).sum()
            # Of a layer that is used several times, as a block's ReLU is, the last use.
            [gradient] = torch.autograd.grad(score, outputs[-1])
    finally:
        handle.remove()
    output = outputs[-1]
    to_map = to_map or layout(output, images)
    if to_map is None:
        shape = tuple(output.shape)
        raise ValueError(f"Grad-CAM needs a layer whose output is a feature map, got {shape}.")
    features, gradient = to_map(output.detach()), to_map(gradient)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    cam = relu((weights * features).sum(dim=1, keepdim=True))
    cam = interpolate(cam, size=images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return cam / cam.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(cam.dtype).tiny)
