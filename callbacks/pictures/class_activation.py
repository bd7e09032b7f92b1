"""Class activation: which regions of an image are evidence for a class (Grad-CAM and others)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.explanation_targets import (
    ExplanationTargets,
    class_to_explain,
    find_targets,
)
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, setting
from callbacks.plots import plot_overlays
from callbacks.plots.drawing.texts import counted
from callbacks.trainer_parts import ImageData
from models.ensemble import networks_of
from models.explain import CLASS_ACTIVATIONS, find_layer, last_feature_map, short_name
from models.explain.map_layout import ToMap

Method = Literal[
    "grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam", "eigen_cam", "score_cam"
]
TITLES: dict[Method, str] = {
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "hires_cam": "HiResCAM",
    "layer_cam": "LayerCAM",
    "eigen_cam": "Eigen-CAM",
    "score_cam": "Score-CAM",
}

PASSES, FEWEST = 4, 4  # for an image, and images at the least


@dataclass(eq=False)
class ClassActivation(Picture):
    """Class activation maps (Grad-CAM and others): which image regions are evidence for a class.

    The figure has the name of the method, so that only equal methods are compared between runs.

    Attributes:
        when: See `Picture`.
        method: How the channels of the layer are weighted. Score-CAM takes one forward pass per
            channel and image.
        num_images: Validation images to explain.
        layer: Layer to explain, such as `layer4.2.conv3`; None for the deepest layer that still
            has a feature map.
        explain: The class to explain: `predicted`, `true`, or the name of a class.

    Raises:
        ValueError: If `num_images` is not positive.
    """

    name: ClassVar[str] = "grad_cam"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("cam", "network", "Overview", figures=("grad_cam",)),
    )
    costly: ClassVar[bool] = True

    method: Method = "grad_cam"
    num_images: int = 12
    layer: str | None = None
    explain: str = "predicted"

    _found = None  # type: WeakKeyDictionary[nn.Module, tuple[str, ToMap]] | None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_images < 1:
            raise ValueError(
                f"pictures.grad_cam.num_images is {self.num_images}; expected 1 or more."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)
        if self.layer is not None:
            self._named(model, self.layer)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        targets, maps, name = self.find_evidence(context)
        images = counted(len(maps), "image")
        yield (
            self.method,
            plot_overlays(
                targets.images.movedim(1, -1).cpu().numpy(),
                maps.float().cpu().numpy(),
                targets.captions,
                targets.colors,
                f"{TITLES[self.method]}, {context.title}: {images}\n"
                f"Evidence for {targets.what}, layer {name}{_averaged(context.model)}",
            ),
        )

    def find_evidence(self, context: PictureContext) -> tuple[ExplanationTargets, Tensor, str]:
        """Images and classes to explain, their maps (N, H, W) in [0, 1], and the layer used.

        The maps of an ensemble are the means of those of its networks.
        """
        number = context.allowance.affordable(self.num_images, PASSES, FEWEST)
        targets = find_targets(context, number, self.explain, self.name)
        explain, maps, names = CLASS_ACTIVATIONS[self.method], [], []
        for network in networks_of(context.model):
            name, to_map = self._layer(network, targets.images)
            layer = network.get_submodule(name)
            maps.append(explain(network, layer, targets.images, targets.classes, to_map))
            names.append(short_name(network, name))
        return targets, torch.stack(maps).mean(dim=0), names[0]

    def _named(self, model: nn.Module, layer: str) -> str:
        with setting(f"{self.name}.layer"):
            return find_layer(model, layer)

    def _layer(self, model: nn.Module, images: Tensor) -> tuple[str, ToMap | None]:
        """The layer to explain; searched once per network, so that epochs can be compared."""
        if self.layer is not None:
            return self._named(model, self.layer), None
        if (
            self._found is None
        ):  # not earlier: the command line prints the attributes of a new picture
            self._found = WeakKeyDictionary()
        if model not in self._found:
            self._found[model] = last_feature_map(model, images)
        return self._found[model]


def _averaged(model: nn.Module) -> str:
    count = len(networks_of(model))
    return f", mean of {count} networks" if count > 1 else ""
