"""Last feature map: the deepest layer that can be explained in terms of positions."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.explain.map_layout import MIN_SIDE, NothingToShow, ToMap, map_layout


def last_feature_map(model: nn.Module, images: Tensor) -> tuple[str, ToMap]:
    """Find the deepest layer with a feature map of at least `MIN_SIDE` positions per side.

    The logits have to depend on the map: in a ViT with a class token, the other tokens of the last
    layers are not used. If all maps are smaller, as in a deep network on tiny images, the deepest
    one is taken. If the classifier is initialised with zeros, so that all gradients are zero, the
    last map is taken.

    Args:
        model: Maps images to logits.
        images: A batch of its input, of which the first image is used.

    Returns:
        Name of the layer, and a function that reshapes its output to (N, D, h, w).

    Raises:
        NothingToShow: If no layer returns a feature map.
    """
    with torch.inference_mode(False), torch.enable_grad():
        image = images[:1].clone().requires_grad_()  # so that frozen layers are in the graph, too
        found, logits = _record_maps(model, image)
        outputs = [output for _, _, output in found]
        gradients = torch.autograd.grad(logits.max(), outputs, allow_unused=True) if found else ()
    reached = [pair for pair in zip(found, gradients, strict=True) if pair[1] is not None]
    used = [item for item, gradient in reached if item[1](gradient).any()]
    used = used or [item for item, _ in reached]
    if not used:
        raise NothingToShow("No layer of the network returns a feature map to explain.")
    large = [item for item in used if min(item[1](item[2]).shape[2:]) >= MIN_SIDE]
    name, to_map, _ = (large or used)[-1]
    return name, to_map


def _record_maps(model: nn.Module, image: Tensor) -> tuple[list[tuple[str, ToMap, Tensor]], Tensor]:
    """All feature maps between an image and its logits, in order, and the logits."""
    maps: dict[str, tuple[str, ToMap, Tensor]] = {}

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: object, output: object) -> None:
            maps.pop(name, None)  # of a layer that is called several times, the last call counts
            if isinstance(output, Tensor) and (to_map := map_layout(output, image)):
                maps[name] = (name, to_map, output)

        return record

    handles = [
        module.register_forward_hook(recorder(name))
        for name, module in model.named_modules()
        # A linear layer on a map is a part of attention or of an MLP.
        if name and not isinstance(module, nn.Linear)
    ]
    try:
        logits = model(image)
    finally:
        for handle in handles:
            handle.remove()
    found = list(maps.values())
    return [item for item in found if not _inside_block(item[2], found[-1][2])], logits


def _inside_block(output: Tensor, last: Tensor) -> bool:
    """Whether an output is not part of the residual stream of a transformer.

    These are the wider layers of the MLPs, and attention maps, which are square like an image.
    """
    if last.ndim != 3:
        return False
    if output.ndim == 3:
        return output.shape[2] != last.shape[2]
    return output.shape[2:] == (last.shape[1], last.shape[1])
