"""Feature maps: the outputs of layers for images."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.map_layout import NothingToShow, map_layout


class FeatureMaps(NamedTuple):
    """Feature maps of a layer.

    Attributes:
        values: (N, D, h, w).
        activation: Class name of the activation that was applied; None for the layer's own output.
    """

    values: Tensor
    activation: str | None


@torch.no_grad()
def feature_maps(
    model: nn.Module, images: Tensor, layers: Sequence[str], activated: bool = True
) -> dict[str, FeatureMaps]:
    """Feature maps of layers, by the names of the layers.

    The activation after a layer is found while the network runs: from the layer's output on,
    modules are followed that keep the shape and do not mix channels, such as norms and dropout,
    until one is an activation or contains one. If there is none, because the tensor is first added
    to another or the activation is not a module, the layer's own output is taken. A block that ends
    with an activation can be named itself. Layers without feature maps, such as those of
    squeeze-and-excitation, are left out.

    Args:
        model: Maps images to logits.
        images: In [0, 1], (N, C, H, W).
        layers: Full names, see `find_layers`. Of a layer that is called several times, the last
            call counts.
        activated: Whether to take the maps after the activation that follows the layer.

    Raises:
        NothingToShow: If none of the layers returns a feature map, see `map_layout`.
    """
    traces = {name: _Trace(activated) for name in layers}
    with ExitStack() as hooks:
        for name, module in model.named_modules():
            followed = _Watcher(list(traces.values()), traces.get(name))
            hooks.callback(module.register_forward_hook(followed).remove)
        model(images)
    found = {name: _maps_of(trace, images) for name, trace in traces.items()}
    if not any(found.values()):
        raise NothingToShow(_no_maps(traces))
    return {name: maps for name, maps in found.items() if maps is not None}


def constant_maps(maps: Tensor) -> Tensor:
    """Whether each map of (N, D, h, w) has the same value everywhere, such as 0, (N, D)."""
    flat = maps.flatten(2)
    return flat.amax(2) - flat.amin(2) <= 1e-6 * flat.abs().amax(2)


class _Trace:
    """Follows the output of a layer to its activation."""

    def __init__(self, activated: bool) -> None:
        self.activated = activated
        self.values: Tensor | None = None
        self.activation: str | None = None
        self.end: object = None  # the tensor that the next module has to take

    def begin(self, output: object) -> None:
        """Start with the output of the layer, which may be called several times."""
        is_tensor = isinstance(output, Tensor)
        # A copy, since the next module may work in place.
        self.values, self.activation = (output.clone() if is_tensor else None), None
        self.end = output if is_tensor and self.activated else None

    def follow(self, module: nn.Module, taken: object, output: object) -> None:
        """Follow another module if it takes the traced tensor."""
        if self.end is None or taken is not self.end:
            return
        self.end = output if _keeps_maps(module, taken, output) else None
        activation = next(filter(_is_activation, module.modules()), None)
        if isinstance(self.end, Tensor) and activation is not None:
            self.values, self.activation = self.end.clone(), type(activation).__name__
            self.end = None


class _Watcher(NamedTuple):
    """Hook of a module, which continues traces and begins the one of its own layer."""

    traces: list[_Trace]
    own: _Trace | None

    def __call__(self, module: nn.Module, args: tuple[object, ...], output: object) -> None:
        for trace in self.traces:
            trace.follow(module, args[0] if args else None, output)
        if self.own is not None:
            self.own.begin(output)


def _keeps_maps(module: nn.Module, taken: object, output: object) -> bool:
    """Whether a module keeps the shape and has at most one weight per channel, so mixes none."""
    if not isinstance(taken, Tensor) or not isinstance(output, Tensor):
        return False
    return taken.shape == output.shape and all(p.ndim < 2 for p in module.parameters())


def _is_activation(module: nn.Module) -> bool:
    """Whether a module is defined in a file `activation….py`, as those of torch and timm are."""
    return type(module).__module__.rpartition(".")[2].startswith("activation")


def _maps_of(trace: _Trace, images: Tensor) -> FeatureMaps | None:
    to_map = None if trace.values is None else map_layout(trace.values, images)
    if trace.values is None or to_map is None:
        return None
    return FeatureMaps(to_map(trace.values), trace.activation)


def _no_maps(traces: dict[str, _Trace]) -> str:
    name, trace = next(iter(traces.items()))
    if trace.values is None:
        return f"layer {name!r} does not return a tensor."
    return f"layer {name!r} returns {tuple(trace.values.shape)}, which is not a feature map."
