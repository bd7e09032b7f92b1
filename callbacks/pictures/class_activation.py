"""Class activation: which regions of an image are evidence for a class, by several methods."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.doubts import doubtful_title, mark_doubtful
from callbacks.pictures.explanation_targets import (
    ExplanationTargets,
    class_to_explain,
    find_targets,
)
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, setting
from callbacks.plots import plot_overlays
from callbacks.trainer_parts import ImageData
from models.explain import ATTENTION_METHODS, ClassEvidence, class_evidence, find_layer

Method = Literal[
    "auto",
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam",
    "layer_cam",
    "eigen_cam",
    "score_cam",
    "gradient_rollout",
    "attn_lrp",
]
TITLES: dict[str, str] = {
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "hires_cam": "HiResCAM",
    "layer_cam": "LayerCAM",
    "eigen_cam": "Eigen-CAM",
    "score_cam": "Score-CAM",
    "gradient_rollout": "Gradient-weighted attention rollout",
    "attn_lrp": "AttnLRP",
}

PASSES, FEWEST = 2, 2  # forward passes for an image, and images at the least
SEARCH = 2  # forward passes to find the layer


@dataclass(eq=False)
class ClassActivation(Picture):
    """Class activation maps (Grad-CAM and others): which image regions are evidence for a class.

    Transformers have methods of their own: gradient-weighted attention rollout, and AttnLRP.

    The figure has the name of the method, so that only equal methods are compared between runs.

    Attributes:
        when: See `Picture`.
        method: How the channels of a layer are weighted, or how attention is followed through all
            layers. `auto` is gradient-weighted attention rollout for timm's ViT, DeiT and Swin, and
            Grad-CAM for all others. Score-CAM takes one forward pass per channel and image.
        num_images: Validation images to explain.
        layer: Layer to explain, such as `layer4.2.conv3`; None for the deepest layer that still
            has a feature map. `auto` is then Grad-CAM.
        explain: The class to explain: `predicted`, `true`, or the name of a class.

    Raises:
        ValueError: If `num_images` is not positive, or the method takes no layer.
    """

    name: ClassVar[str] = "grad_cam"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("cam", "network", "Overview", figures=("grad_cam", *ATTENTION_METHODS)),
    )
    costly: ClassVar[bool] = True

    method: Method = "auto"
    num_images: int = 12
    layer: str | None = None
    explain: str = "predicted"

    _found = None  # type: WeakKeyDictionary[nn.Module, ClassEvidence] | None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_images < 1:
            raise ValueError(
                f"pictures.grad_cam.num_images is {self.num_images}; expected 1 or more."
            )
        if self.layer is not None and self.method in ATTENTION_METHODS:
            raise ValueError(
                f"pictures.grad_cam.layer is {self.layer}, but {self.method} explains all layers "
                "together; expected no layer, or another method."
            )

    @property
    def fewest_passes(self) -> float:
        """See `Picture`."""
        return PASSES * FEWEST + SEARCH

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)
        if self.layer is not None:
            with setting(f"{self.name}.layer"):
                find_layer(model, self.layer)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        targets, maps, found = self.find_evidence(context)
        images = context.allowance.counted(len(maps), context.available(self.num_images))
        title = (
            f"{TITLES[found.method]}, {context.title}: {images}\n"
            f"Evidence for {targets.what}, {found.where}"
        )
        figure = plot_overlays(
            targets.images.movedim(1, -1).cpu().numpy(),
            maps.float().cpu().numpy(),
            targets.captions,
            targets.colors,
            doubtful_title(title, context, [found.method]),
        )
        yield found.method, mark_doubtful(figure, context, [found.method])

    def find_evidence(
        self, context: PictureContext
    ) -> tuple[ExplanationTargets, Tensor, ClassEvidence]:
        """Images and classes to explain, their maps (N, H, W) in [0, 1], and how they were made."""
        wanted = context.available(self.num_images)
        number = context.allowance.affordable(wanted, PASSES, FEWEST, SEARCH)
        targets = find_targets(context, number, self.explain, self.name)
        found = self.method_for(context.model, targets.images)
        return targets, found.explain(context.model, targets.images, targets.classes), found

    def method_for(self, model: nn.Module, images: Tensor) -> ClassEvidence:
        """The method for a network; chosen once, so that epochs can be compared.

        Raises:
            NothingToShow: If there is no feature map, or the method is not for this network.
        """
        if (
            self._found is None
        ):  # not earlier: the command line prints the attributes of a new picture
            self._found = WeakKeyDictionary()
        if model not in self._found:
            with setting(f"{self.name}.layer"):
                self._found[model] = class_evidence(self.method, model, images, self.layer)
        return self._found[model]
