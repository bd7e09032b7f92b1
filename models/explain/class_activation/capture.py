"""What a layer answers, and how the logits hang on it: where every class-activation map begins."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from models.explain.feature_map import ToMap, layout


def features_of(
    model: nn.Module, layer: nn.Module, images: Tensor, to_map: ToMap | None = None
) -> Tensor:
    """What a layer answers to images, (N, D, h, w); see `features_and_gradient`."""
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
    """What a layer answers to images, and how the logits of their classes change with it.

    The network before the layer runs as in validation, and only what comes after it is
    differentiated, for all images at once. So frozen networks are explained too, and the cost is
    little more than one forward pass.

    Args:
        model: Maps images to logits.
        layer: Submodule of the model whose output is a feature map. Of a layer that is used
            several times, as a block's ReLU is, the last use counts.
        images: Batch to explain, (N, C, H, W).
        classes: The class to explain for each image, (N,).
        to_map: Turns the layer's output into (N, D, h, w); None finds out by its shape.

    Returns:
        Features and their gradient, (N, D, h, w) each.

    Raises:
        ValueError: If the layer is not used, or if its output is not a feature map.
    """
    with _cut_at(layer) as outputs, torch.inference_mode(False), torch.no_grad():
        logits = model(images.clone())
        output = _last(outputs)
        score = logits.gather(1, classes.clone()[:, None]).sum()
        [gradient] = torch.autograd.grad(score, output)
    to_map = _mapping(output, images, to_map)
    return to_map(output.detach()).float(), to_map(gradient).float()


def to_heat(maps: Tensor, images: Tensor) -> Tensor:
    """What speaks for the class, at the size of the images.

    Args:
        maps: Evidence for the class where positive, (N, h, w).
        images: What they explain, (N, C, H, W).

    Returns:
        Maps (N, H, W) in [0, 1]: each has maximum 1, or is 0 everywhere where nothing in the
        image speaks for the class.
    """
    size = images.shape[2:]
    heat = interpolate(relu(maps)[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    return heat / heat.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(heat.dtype).tiny)


@contextmanager
def _cut_at(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what the layer puts out, as the place where differentiation ends."""
    outputs: list[Tensor] = []

    def cut(module: nn.Module, args: object, output: object) -> Tensor:
        if not isinstance(output, Tensor):
            raise ValueError(_no_map(f"a {type(output).__name__}"))
        outputs.append(output.detach().requires_grad_())
        torch.set_grad_enabled(True)  # from here on; the caller's context ends it
        # A copy, so that a layer that works in place after this one does not change the output.
        return outputs[-1].clone()

    handle = layer.register_forward_hook(cut)
    try:
        yield outputs
    finally:
        handle.remove()


def _last(outputs: list[Tensor]) -> Tensor:
    if not outputs:
        raise ValueError("The layer to explain is not used on the way from images to logits.")
    return outputs[-1]


def _mapping(output: Tensor, images: Tensor, to_map: ToMap | None) -> ToMap:
    if to_map := to_map or layout(output, images):
        return to_map
    raise ValueError(_no_map(str(tuple(output.shape))))


def _no_map(got: str) -> str:
    return f"Expected a layer whose output is a feature map, got {got}."
