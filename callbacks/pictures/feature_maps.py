"""Feature maps: the outputs of layers for one image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, setting
from callbacks.plots import plot_feature_maps
from callbacks.plots.drawing.texts import shorten
from callbacks.trainer_parts import ImageData
from models.explain import (
    NothingToShow,
    constant_maps,
    feature_maps,
    find_layers,
    first_middle_last,
    short_name,
)
from models.explain.feature_maps import FeatureMaps as LayerMaps

PROBES = 12  # images to choose from, as many as other pictures show
LINE = 46  # letters of a line of the title


@dataclass(eq=False)
class FeatureMaps(Picture):
    """Feature maps of layers for one image.

    Maps that are constant for this image are counted and crossed out. Most of them respond to other
    images; if they are many for all images, the layer is larger than needed.

    Attributes:
        when: See `Picture`.
        layers: Names of layers or patterns such as `layer?`; `convolutions` for all convolutions.
            Layers that match a pattern but have no feature map are skipped. None for the last layer
            of the first, a middle and the last stage.
        num_maps: Maps to show, the first ones of the layer.
        image: Index of the probe image; the probe images are ordered by class.
        activated: Show the maps after the norm and the activation that follow the layer; see
            `models.explain.feature_maps`.
        scale: `map` for a scale per map, which shows where each is active; `layer` for one scale,
            which shows which maps are most active.

    Raises:
        ValueError: If `num_maps` is not positive or `image` is negative.
    """

    name: ClassVar[str] = "feature_maps"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind(
            "feature_maps",
            "network",
            "Layer activations",
            figures=("feature_maps/first", "feature_maps/middle", "feature_maps/last"),
        ),
    )

    layers: str | list[str] | None = None
    num_maps: int = 64
    image: int = 0
    activated: bool = True
    scale: Literal["map", "layer"] = "map"

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        for option, least in (("num_maps", 1), ("image", 0)):
            if (value := getattr(self, option)) < least:
                raise ValueError(
                    f"pictures.feature_maps.{option} is {value}; expected {least} or more."
                )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """Check layers and image against the network and the data."""
        self._named(model, self._patterns())
        self._check_image(len(data.sources["val"]))

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        image, shown = self._probe(context)
        if self.layers is None:
            keys = {name: key for key, name in first_middle_last(context.model, image).items()}
        else:
            names = self._named(context.model, self._patterns())
            keys = {name: short_name(context.model, name) for name in names}
        found = feature_maps(context.model, image, [*keys], self.activated)
        for pattern in self._patterns():
            if found.keys().isdisjoint(find_layers(context.model, [pattern])):
                raise NothingToShow(f"{pattern!r} matches no layer that has a feature map.")
        for name, maps in found.items():
            layer = short_name(context.model, name)
            figure = self._figure(maps, image, layer, f"{shown}, {context.title}")
            yield f"{self.name}/{keys[name]}", figure

    def _patterns(self) -> list[str]:
        return [self.layers] if isinstance(self.layers, str) else self.layers or []

    def _named(self, model: nn.Module, patterns: Sequence[str]) -> list[str]:
        with setting(f"{self.name}.layers"):
            return find_layers(model, patterns)

    def _check_image(self, num_images: int) -> None:
        if self.image >= num_images:
            raise ValueError(
                f"pictures.feature_maps.image is {self.image}; expected 0 to {num_images - 1}: "
                f"there are {num_images} images."
            )

    def _probe(self, context: PictureContext) -> tuple[Tensor, str]:
        """The image, (1, C, H, W), and its class or file."""
        images, labels = context.sample(max(PROBES, self.image + 1))
        self._check_image(len(images))
        label = int(labels[self.image])
        shown = "Image" if label < 0 else f"Image: {context.class_names[label]}"
        if context.names is not None:
            shown = f"Image: {context.names(len(images))[self.image]}"
        return images[self.image : self.image + 1], shown

    def _figure(self, found: LayerMaps, image: Tensor, layer: str, shown: str) -> Figure:
        maps, constant = found.values[0, : self.num_maps], constant_maps(found.values)[0]
        after = f" after {found.activation}" if found.activation else ""
        count, crossed = int(constant.sum()), int(constant[: self.num_maps].sum())
        title = [
            f"Feature maps of {shorten(layer, LINE - len(after) - 16)}{after}",
            f"{len(maps)} of {len(constant)} maps, {count or 'none'} constant"
            + (f" ({crossed} crossed out)" if crossed else ""),
            shown,
        ]
        return plot_feature_maps(
            maps.float().cpu().numpy(),
            image[0].movedim(0, -1).cpu().numpy(),
            constant[: self.num_maps].cpu().numpy(),
            "\n".join(shorten(line, LINE) for line in title),
            self.scale == "layer",
        )
