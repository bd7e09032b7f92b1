"""Feature-map layers spread over a network: the first, a middle and the last one."""

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from models.explain.map_layout import MIN_SIDE, NothingToShow, map_layout

IDLE = (nn.Identity, nn.Dropout)  # return their input in eval mode
Grid = tuple[int, int]


@torch.no_grad()
def outer_layers(model: nn.Module, images: Tensor) -> list[str]:
    """Names of the outermost layers that return feature maps, in order: mostly the blocks.

    Args:
        model: Any network.
        images: A batch of its input, of which the first image is used.
    """
    return _outermost(_grids(model, images[:1]))


@torch.no_grad()
def first_middle_last(model: nn.Module, images: Tensor) -> dict[str, str]:
    """Names of three layers that return feature maps of at least `MIN_SIDE` positions per side.

    They are the last layers of the first, a middle and the last stage, where a stage has maps of
    one size. In a network with fewer than three sizes, such as a ViT, they are the first, a middle
    and the last block. If all maps are smaller than `MIN_SIDE`, these are used.

    Args:
        model: Maps images to logits.
        images: A batch of its input, of which the first image is used.

    Returns:
        The names by `first`, `middle` and `last`; fewer if the network has fewer such layers.

    Raises:
        NothingToShow: If no layer returns a feature map.
    """
    grids = _grids(model, images[:1])
    outer = _outermost(grids)
    large = [name for name in outer if min(grids[name]) >= MIN_SIDE] or outer
    if not large:
        raise NothingToShow("No layer of the network returns a feature map.")
    ends = list({grids[name]: name for name in large}.values())
    names = ends if len(ends) >= 3 else large
    chosen = {"first": names[0], "middle": names[len(names) // 2], "last": names[-1]}
    return {place: name for name, place in {n: p for p, n in chosen.items()}.items()}


def _grids(model: nn.Module, image: Tensor) -> dict[str, Grid]:
    """Size of the maps of each layer that returns maps, from the first with weights on."""
    grids: dict[str, Grid] = {}
    begun = False

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: object, output: object) -> None:
            nonlocal begun
            begun = begun or any(p.ndim > 1 for p in module.parameters(recurse=False))
            if not begun or not isinstance(output, Tensor) or isinstance(module, IDLE):
                return
            if to_map := map_layout(output, image):
                grids.pop(name, None)  # of several calls, the last
                rows, columns = to_map(output).shape[2:]
                grids[name] = (rows, columns)

        return record

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if name:
                hooks.callback(module.register_forward_hook(recorder(name)).remove)
        model(image)
    return grids


def _outermost(grids: dict[str, Grid]) -> list[str]:
    """Layers inside no other one, except for one with more than half of all, such as a trunk."""
    trunks = {
        name for name in grids if sum(n.startswith(f"{name}.") for n in grids) > len(grids) / 2
    }
    closed = grids.keys() - trunks
    return [name for name in grids if name in closed and not _around(name) & closed]


def _around(name: str) -> set[str]:
    """Names of the modules that contain a layer."""
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}
