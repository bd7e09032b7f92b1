"""Pictures of feature maps: what layers answer to an image."""

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
    """Show the feature maps of layers for one image: what they answer.

    Maps that are the same everywhere in this image are counted and crossed out; many such maps
    say that a layer is dead, or larger than it need be.

    Attributes:
        when: See `Picture`.
        layers: A name or several, or patterns such as `layer?`; `convolutions` for all of them. Of
            what a pattern names, layers that put out no map are left out.
            None for three at the ends of the first, a middle and the last stage.
        num_maps: Maps in the picture, the first of the layer.
        image: Which of the probe images, which are ordered by class; the first is 0.
        activated: Show them after the norm and activation that follow the layer; see
            `models.explain.feature_maps`.
        scale: `map` for each map on its own scale, which shows what it answers to; `layer` for one
            scale, which shows which map answers most.

    Raises:
        ValueError: If there is to be no map, or the image is negative.
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
        """Refuse numbers that name nothing."""
        super().__post_init__()
        for option, least in (("num_maps", 1), ("image", 0)):
            if (value := getattr(self, option)) < least:
                raise ValueError(
                    f"pictures.feature_maps.{option} is {value}; expected {least} or more."
                )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """Refuse layers that the network lacks, and images that there are not."""
        self._named(model, self._patterns())
        self._check_image(len(data.sources["val"]))

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        image, of = self._probe(context)
        if self.layers is None:
            keys = {name: key for key, name in first_middle_last(context.model, image).items()}
        else:
            names = self._named(context.model, self._patterns())
            keys = {name: short_name(context.model, name) for name in names}
        found = feature_maps(context.model, image, [*keys], self.activated)
        for pattern in self._patterns():
            if found.keys().isdisjoint(find_layers(context.model, [pattern])):
                raise NothingToShow(f"{pattern!r} names no layer that puts out a map.")
        for name, maps in found.items():
            title = short_name(context.model, name)
            yield f"{self.name}/{keys[name]}", self._figure(maps, image, title, [of, context.title])

    def _patterns(self) -> list[str]:
        return [self.layers] if isinstance(self.layers, str) else self.layers or []

    def _named(self, model: nn.Module, patterns: Sequence[str]) -> list[str]:
        with setting(f"{self.name}.layers"):
            return find_layers(model, patterns)

    def _check_image(self, num_images: int) -> None:
        if self.image >= num_images:
            raise ValueError(
                f"pictures.feature_maps.image is {self.image}; there are {num_images} images, the "
                "first is 0."
            )

    def _probe(self, context: PictureContext) -> tuple[Tensor, str]:
        """The image, (1, C, H, W), and what it shows."""
        images, labels = context.sample(max(PROBES, self.image + 1))
        self._check_image(len(images))
        label = int(labels[self.image])
        of = "image" if label < 0 else f"image: {context.class_names[label]}"
        if context.names is not None:
            of = f"image: {context.names(len(images))[self.image]}"
        return images[self.image : self.image + 1], of

    def _figure(self, found: LayerMaps, image: Tensor, layer: str, lines: Sequence[str]) -> Figure:
        maps, constant = found.values[0, : self.num_maps], constant_maps(found.values)[0]
        after = f" after {found.activation}" if found.activation else ""
        dead, crossed = int(constant.sum()), int(constant[: self.num_maps].sum())
        title = [
            f"{shorten(layer, LINE - len(after))}{after}",
            f"{len(maps)} of {len(constant)} maps, {dead or 'none'} dead"
            + (f" ({crossed} crossed out)" if crossed else ""),
            *lines,
        ]
        return plot_feature_maps(
            maps.float().cpu().numpy(),
            image[0].movedim(0, -1).cpu().numpy(),
            constant[: self.num_maps].cpu().numpy(),
            "\n".join(shorten(line, LINE) for line in title),
            self.scale == "layer",
        )
