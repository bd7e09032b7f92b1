"""The feature maps of layers: what they answer to an image."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.feature_map import NothingToShow, layout


class FeatureMaps(NamedTuple):
    """What a layer puts out.

    Attributes:
        values: (N, D, h, w).
        activation: Kind of the activation that they have passed since; None for the bare output.
    """

    values: Tensor
    activation: str | None


@torch.no_grad()
def feature_maps(
    model: nn.Module, images: Tensor, layers: Sequence[str], activated: bool = True
) -> dict[str, FeatureMaps]:
    """The outputs of layers as maps, by the names of the layers.

    The activation of a layer is found while the network runs: the modules are followed that take
    the very tensor that the layer put out, as long as they keep its shape and mix no channels, as
    norms and dropout do, until one is an activation or holds one. If that comes to nothing, as
    where the tensor is first added to another or the activation is no module, the layer's own
    output is taken. A block that ends with an activation can be named itself. Layers that put out
    no map, as those of squeeze-and-excitation, are left out.

    Args:
        model: Maps images to logits.
        images: In [0, 1], (N, C, H, W).
        layers: Full names, see `find_layers`. Of a layer that is used several times, the last use.
        activated: Whether to take the maps after the activation that follows the layer.

    Raises:
        NothingToShow: If none of the layers puts out a map; the tokens of a ViT and the channels
            last of a Swin are maps.
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
    """Which maps (N, D, h, w) have the same value everywhere, zero for one; (N, D)."""
    flat = maps.flatten(2)
    return flat.amax(2) - flat.amin(2) <= 1e-6 * flat.abs().amax(2)


class _Trace:
    """Follows what a layer puts out to its activation."""

    def __init__(self, activated: bool) -> None:
        self.activated = activated
        self.values: Tensor | None = None
        self.activation: str | None = None
        self.end: object = None  # the tensor that the next module would take

    def begin(self, output: object) -> None:
        """The layer has run, maybe once more."""
        is_tensor = isinstance(output, Tensor)
        # A copy: what comes next may work in place.
        self.values, self.activation = (output.clone() if is_tensor else None), None
        self.end = output if is_tensor and self.activated else None

    def go_on(self, module: nn.Module, taken: object, output: object) -> None:
        """Another module has run."""
        if self.end is None or taken is not self.end:
            return
        self.end = output if _keeps_maps(module, taken, output) else None
        activation = next(filter(_is_activation, module.modules()), None)
        if isinstance(self.end, Tensor) and activation is not None:
            self.values, self.activation = self.end.clone(), type(activation).__name__
            self.end = None


class _Watcher(NamedTuple):
    """Hook of a module: it may continue some traces, and begin one."""

    traces: list[_Trace]
    own: _Trace | None

    def __call__(self, module: nn.Module, args: tuple[object, ...], output: object) -> None:
        for trace in self.traces:
            trace.go_on(module, args[0] if args else None, output)
        if self.own is not None:
            self.own.begin(output)


def _keeps_maps(module: nn.Module, taken: object, output: object) -> bool:
    """Whether a module keeps the shape and mixes no channels: its weights are one a channel."""
    if not isinstance(taken, Tensor) or not isinstance(output, Tensor):
        return False
    return taken.shape == output.shape and all(p.ndim < 2 for p in module.parameters())


def _is_activation(module: nn.Module) -> bool:
    """Those of torch are defined in `torch.nn.modules.activation`, timm's in files called alike."""
    return type(module).__module__.rpartition(".")[2].startswith("activation")


def _maps_of(trace: _Trace, images: Tensor) -> FeatureMaps | None:
    to_map = None if trace.values is None else layout(trace.values, images)
    if trace.values is None or to_map is None:
        return None
    return FeatureMaps(to_map(trace.values), trace.activation)


def _no_maps(traces: dict[str, _Trace]) -> str:
    name, trace = next(iter(traces.items()))
    if trace.values is None:
        return f"layer {name!r} put out no tensor."
    return f"layer {name!r} puts out {tuple(trace.values.shape)}, which is no map."
