"""Which layer to explain: the deepest one whose output still is a picture."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

MIN_SIDE = 4  # positions a side below which a map says little about where


class NothingToShow(ValueError):
    """The network has nothing of the kind that a picture shows."""


ToMap = Callable[[Tensor], Tensor]  # what a layer puts out -> (N, D, h, w)


def last_feature_map(model: nn.Module, images: Tensor) -> tuple[str, ToMap]:
    """Find the deepest layer with a map of at least `MIN_SIDE` positions a side.

    Maps are recognised by their shape: (N, D, h, w) of convolutional networks, (N, h, w, D) of
    Swin, and tokens (N, h * w + prefix, D) of ViT. The logits must depend on the map: in a ViT
    that reads its class token, the other tokens that the last layers put out go nowhere.
    Where every map is smaller, as in a deep network on tiny images, the deepest one is taken, and
    where the classifier is still zero, as some are built, so that nothing counts, the last one.

    Args:
        model: Maps images to logits.
        images: A batch that the model takes; the first image is tried.

    Returns:
        Name of the layer, and what turns its output into (N, D, h, w).

    Raises:
        NothingToShow: If no layer puts out a map.
    """
    with torch.inference_mode(False), torch.enable_grad():
        image = images[:1].clone().requires_grad_()  # so that frozen layers are in the graph too
        found, logits = _record_maps(model, image)
        outputs = [output for _, _, output in found]
        gradients = torch.autograd.grad(logits.max(), outputs, allow_unused=True) if found else ()
    reached = [pair for pair in zip(found, gradients, strict=True) if pair[1] is not None]
    used = [item for item, gradient in reached if item[1](gradient).any()]
    used = used or [item for item, _ in reached]
    if not used:
        raise NothingToShow("No layer of the network puts out a feature map to explain.")
    large = [item for item in used if min(item[1](item[2]).shape[2:]) >= MIN_SIDE]
    name, to_map, _ = (large or used)[-1]
    return name, to_map


def _record_maps(model: nn.Module, image: Tensor) -> tuple[list[tuple[str, ToMap, Tensor]], Tensor]:
    """Every map on the way from an image to its logits, in order, and the logits."""
    maps: dict[str, tuple[str, ToMap, Tensor]] = {}

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: object, output: object) -> None:
            maps.pop(name, None)  # of a layer that is used several times the last use is explained
            if isinstance(output, Tensor) and (to_map := layout(output, image)):
                maps[name] = (name, to_map, output)

        return record

    handles = [
        module.register_forward_hook(recorder(name))
        for name, module in model.named_modules()
        # A linear layer on a map is part of an attention or an MLP: keys, values, a wider layer.
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
    """Whether an output lies beside the residual stream that a transformer ends with.

    Those are the wider layers of its blocks, and attention, which is as square as an image.
    """
    if last.ndim != 3:
        return False
    if output.ndim == 3:
        return output.shape[2] != last.shape[2]
    return output.shape[2:] == (last.shape[1], last.shape[1])


def layout(output: Tensor, images: Tensor) -> ToMap | None:
    """How an output lies: what turns it into (N, D, h, w), or None if it is no map."""
    height, width = images.shape[2:]
    if output.shape[:1] != images.shape[:1]:  # the windows of a Swin, say
        return None
    if output.ndim == 4 and _same_ratio(output.shape[2:], (height, width)):
        return _as_is
    if output.ndim == 4 and _same_ratio(output.shape[1:3], (height, width)):
        return _channels_last
    if output.ndim == 3:
        return _tokens(output.shape[1], height, width)
    return None


def _same_ratio(grid: torch.Size, image: tuple[int, int]) -> bool:
    """Whether a grid of more than one position could be the image, made smaller."""
    rows, columns = grid
    if rows * columns <= 1 or rows > image[0] or columns > image[1]:
        return False
    return abs(rows / image[0] - columns / image[1]) < 1 / min(image)


def _as_is(output: Tensor) -> Tensor:
    return output


def _channels_last(output: Tensor) -> Tensor:
    return output.permute(0, 3, 1, 2)


def _tokens(num_tokens: int, height: int, width: int) -> ToMap | None:
    """Tokens of square patches, after at most as many prefix tokens as networks have."""
    for prefix in range(min(6, num_tokens)):  # class, distillation, up to four registers
        rows = round(((num_tokens - prefix) * height / width) ** 0.5)
        columns = (num_tokens - prefix) // max(rows, 1)
        fits = 1 < rows <= height and rows * columns == num_tokens - prefix
        if (
            fits
            and height // (height // rows) == rows  # whole patches; a rest at the edge is cut off
            and _same_ratio(torch.Size((rows, columns)), (height, width))
        ):
            return lambda output, p=prefix, r=rows, c=columns: (
                output[:, p:].transpose(1, 2).unflatten(2, (r, c))
            )
    return None
