"""Features of a layer and their gradient, from which all class-activation maps are computed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from models.explain.map_layout import ToMap, map_layout


def features_of(
    model: nn.Module, layer: nn.Module, images: Tensor, to_map: ToMap | None = None
) -> Tensor:
    """Feature maps of a layer, (N, D, h, w); see `features_and_gradient`."""
    with _cut_at(layer) as outputs, torch.inference_mode(False), torch.no_grad():
        model(images.clone())
    output = _last(outputs)
    return _mapping(output, images, to_map)(output.detach()).float()


def features_and_gradient(
    model: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    to_map: ToMap | None = None,
) -> tuple[Tensor, Tensor]:
    """Feature maps of a layer, and the gradients of the logits of the classes by them.

    Only the part of the network after the layer is differentiated, for all images at once. So
    frozen networks can be explained, too, and the cost is little more than one forward pass.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model whose output is a feature map. If it is called several times,
            such as the ReLU of a block, the last call counts.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        to_map: Reshapes the layer's output to (N, D, h, w); None for `map_layout`.

    Returns:
        Features and their gradient, (N, D, h, w) each.

    Raises:
        ValueError: If the layer is not called, or its output is not a feature map.
    """
    with _cut_at(layer) as outputs, torch.inference_mode(False), torch.no_grad():
        logits = model(images.clone())
        output = _last(outputs)
        score = logits.gather(1, classes.clone()[:, None]).sum()
        [gradient] = torch.autograd.grad(score, output)
    to_map = _mapping(output, images, to_map)
    return to_map(output.detach()).float(), to_map(gradient).float()


def to_heat(maps: Tensor, images: Tensor) -> Tensor:
    """Positive evidence, resized to the images and scaled to [0, 1].

    Args:
        maps: Evidence for the class where positive, (N, h, w).
        images: The explained images, (N, C, H, W).

    Returns:
        Maps (N, H, W) in [0, 1]. Each has the maximum 1, or is 0 everywhere if the image has no
        evidence for the class.
    """
    size = images.shape[2:]
    heat = interpolate(relu(maps)[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    return heat / heat.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(heat.dtype).tiny)


@contextmanager
def _cut_at(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the outputs of the layer, and end differentiation there."""
    outputs: list[Tensor] = []

    def cut(module: nn.Module, args: object, output: object) -> Tensor:
        if not isinstance(output, Tensor):
            raise ValueError(_no_map(f"a {type(output).__name__}"))
        outputs.append(output.detach().requires_grad_())
        torch.set_grad_enabled(True)  # until the end of the caller's context
        # A copy, so that a later layer that works in place does not change the output.
        return outputs[-1].clone()

    handle = layer.register_forward_hook(cut)
    try:
        yield outputs
    finally:
        handle.remove()


def _last(outputs: list[Tensor]) -> Tensor:
    if not outputs:
        raise ValueError("Expected a layer that the model calls; this one is not called.")
    return outputs[-1]


def _mapping(output: Tensor, images: Tensor, to_map: ToMap | None) -> ToMap:
    if to_map := to_map or map_layout(output, images):
        return to_map
    raise ValueError(_no_map(str(tuple(output.shape))))


def _no_map(got: str) -> str:
    return f"Expected a layer whose output is a feature map, got {got}."
