"""Pictures of filters: what a layer looks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.pictures.picture import Picture, Scene, Shown, setting
from callbacks.plots import plot_filters
from callbacks.plots.drawing.texts import shorten
from callbacks.run import ImageData
from models.explain import NothingToShow, filter_layers, filters_of, short_name
from models.explain.filters import Channel, takes_images


@dataclass(eq=False)
class Filters(Picture):
    """Show the filters of layers: what they look for.

    Filters that see RGB are in colour. A layer that looks at one position at a time is a matrix.

    Attributes:
        when: See `Picture`.
        layers: A name or several, or patterns such as `layer1.*`; `convolutions` for all of them.
            None for the one that sees the image.
        num_filters: Filters in the picture, the first of the layer.
        channel: Input channel to show of filters that see no colours, or `norm` for the Euclidean
            norm over the input channels.
        difference: Show what training changed too: the difference from the weights that the
            network was built with, pretrained or not.

    Raises:
        ValueError: If there is to be no filter, or the channel is negative.
    """

    name: ClassVar[str] = "filters"
    # Weights before training, by layer. An annotation would make it an option in YAML.
    _initial = None  # type: dict[str, Tensor] | None

    layers: str | list[str] | None = None
    num_filters: int = 64
    channel: Channel = 0
    difference: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that name nothing."""
        super().__post_init__()
        if self.num_filters < 1:
            raise ValueError(
                f"pictures.filters.num_filters is {self.num_filters}; expected 1 or more."
            )
        if self.channel != "norm" and self.channel < 0:
            raise ValueError(
                f"pictures.filters.channel is {self.channel}; expected 0 or more, or norm."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """Refuse layers and channels that the network lacks; keep its weights if asked to."""
        self._initial = {} if self.difference else None
        for name in self._names(model) if self.layers or self.difference else ():
            layer = model.get_submodule(name)
            filters_of(layer, 1, self.channel)
            if self._initial is not None:
                weights = layer.get_parameter("weight").detach()[: self.num_filters]
                self._initial[name] = weights.to("cpu", copy=True)

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        names = self._names(scene.model)
        keys = [f"/{short_name(scene.model, name)}" if self.layers else "" for name in names]
        for name, key in zip(names, keys, strict=True):
            yield f"{self.name}{key}", self._figure(scene, name, None)
        if not self.difference:
            return
        if self._initial is None:
            raise NothingToShow("what the weights were before training is not known.")
        for name, key in zip(names, keys, strict=True):
            yield f"{self.name}_change{key}", self._figure(scene, name, self._initial[name])

    def _names(self, model: nn.Module) -> list[str]:
        patterns = [self.layers] if isinstance(self.layers, str) else self.layers
        with setting(f"{self.name}.layers"):
            return filter_layers(model, patterns)

    def _figure(self, scene: Scene, name: str, initial: Tensor | None) -> Figure:
        layer = scene.model.get_submodule(name)
        first = isinstance(layer, nn.Linear) and takes_images(scene.model, name)
        image_shape = scene.sample(1)[0].shape[1:] if first else None
        filters = filters_of(layer, self.num_filters, self.channel, initial, image_shape)
        number = len(layer.get_parameter("weight"))
        short = shorten(short_name(scene.model, name), 30)
        change = "" if initial is None else "change in training, "
        title = (
            f"{short}: {len(filters)} of {number} filters\n"
            f"{change}{_shown(layer, filters, self.channel)}{scene.title}"
        )
        magnitude = self.channel == "norm" and filters.ndim == 3
        label = ("change of " if change else "") + ("norm of weights" if magnitude else "weight")
        return plot_filters(filters.numpy(), title, label, magnitude)


def _shown(layer: nn.Module, filters: Tensor, channel: Channel) -> str:
    """Which part of filters is to be seen, to begin a line of the title with."""
    inputs = layer.get_parameter("weight").shape[1]
    groups = getattr(layer, "groups", 1)
    if filters.ndim == 4:
        return "in colour, "
    if filters.ndim != 3 or inputs * groups == 1 or isinstance(layer, nn.Linear):
        return ""
    if inputs == 1:
        return "each sees one input channel, "
    grouped = f" (in each of {groups} groups)" if groups > 1 else ""
    if channel == "norm":
        return f"norm over {inputs} input channels{grouped}, "
    return f"input channel {channel} of {inputs}{grouped}, "
