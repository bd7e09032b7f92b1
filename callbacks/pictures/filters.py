"""Filters: the weights of convolutional and linear layers as images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, setting
from callbacks.plots import plot_filters
from callbacks.plots.drawing.texts import shorten
from callbacks.trainer_parts import ImageData
from models.explain import NothingToShow, filter_layers, filters_of, short_name
from models.explain.filters import Channel, takes_images


@dataclass(eq=False)
class Filters(Picture):
    """Filters of convolutional and linear layers, and what training changed in them.

    Filters with RGB input are in colour. A layer with 1 x 1 filters is drawn as a matrix.

    Attributes:
        when: See `Picture`.
        layers: Names of layers or patterns such as `layer1.*`; `convolutions` for all
            convolutions; None for the layer that gets the image.
        num_filters: Filters to show, the first ones of the layer.
        channel: Input channel to show of filters without RGB input, or `norm` for the Euclidean
            norm over the input channels.
        difference: Also show the difference from the weights that the network was built with,
            pretrained or random.

    Raises:
        ValueError: If `num_filters` is not positive or `channel` is negative.
    """

    name: ClassVar[str] = "filters"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("filters", "network", "Overview", shows_images=False),
        FigureKind("filters_change", "network", shows_images=False),
    )
    # Weights before training, by layer. With an annotation it would become an option in YAML.
    _initial = None  # type: dict[str, Tensor] | None

    layers: str | list[str] | None = None
    num_filters: int = 64
    channel: Channel = 0
    difference: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
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
        """Check layers and channels against the network; keep its weights for `difference`."""
        self._initial = {} if self.difference else None
        for name in self._names(model) if self.layers or self.difference else ():
            layer = model.get_submodule(name)
            filters_of(layer, 1, self.channel)
            if self._initial is not None:
                weights = layer.get_parameter("weight").detach()[: self.num_filters]
                self._initial[name] = weights.to("cpu", copy=True)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        names = self._names(context.model)
        keys = [f"/{short_name(context.model, name)}" if self.layers else "" for name in names]
        for name, key in zip(names, keys, strict=True):
            yield f"{self.name}{key}", self._figure(context, name, None)
        if not self.difference:
            return
        if self._initial is None:
            raise NothingToShow("the weights before training are not known.")
        for name, key in zip(names, keys, strict=True):
            yield f"{self.name}_change{key}", self._figure(context, name, self._initial[name])

    def _names(self, model: nn.Module) -> list[str]:
        patterns = [self.layers] if isinstance(self.layers, str) else self.layers
        with setting(f"{self.name}.layers"):
            return filter_layers(model, patterns)

    def _figure(self, context: PictureContext, name: str, initial: Tensor | None) -> Figure:
        layer = context.model.get_submodule(name)
        first = isinstance(layer, nn.Linear) and takes_images(context.model, name)
        image_shape = context.sample(1)[0].shape[1:] if first else None
        filters = filters_of(layer, self.num_filters, self.channel, initial, image_shape)
        number = len(layer.get_parameter("weight"))
        short = shorten(short_name(context.model, name), 30)
        what = "Filters" if initial is None else "Change of the filters"
        title = (
            f"{what} of {short}, {context.title}\n"
            f"{len(filters)} of {number} filters{_shown(layer, filters, self.channel)}"
        )
        magnitude = self.channel == "norm" and filters.ndim == 3
        label = ("" if initial is None else "change of ") + (
            "norm of weights" if magnitude else "weight"
        )
        return plot_filters(filters.numpy(), title, label, magnitude)


def _shown(layer: nn.Module, filters: Tensor, channel: Channel) -> str:
    """Which part of the filters is shown, to be appended to the title."""
    inputs = layer.get_parameter("weight").shape[1]
    groups = getattr(layer, "groups", 1)
    if filters.ndim == 4:
        return ", in colour"
    if filters.ndim != 3 or inputs * groups == 1 or isinstance(layer, nn.Linear):
        return ""
    if inputs == 1:
        return ", each for one input channel"
    grouped = f" (in each of {groups} groups)" if groups > 1 else ""
    if channel == "norm":
        return f", norm over {inputs} input channels{grouped}"
    return f", input channel {channel} of {inputs}{grouped}"
