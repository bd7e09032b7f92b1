"""Saliency: which pixels the score of a class depends on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.doubts import doubtful_title, mark_doubtful
from callbacks.pictures.explanation_targets import Order, class_to_explain, find_targets
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
from callbacks.plots.drawing.texts import counted
from callbacks.plots.saliency import plot_saliency
from callbacks.trainer_parts import ImageData
from models.explain import SALIENCIES, NothingToShow

Method = Literal[
    "vanilla",
    "guided",
    "rectified",
    "smooth_grad",
    "gradient_times_input",
    "integrated_gradients",
]

PASS = 3  # forward and backward, in forward passes
PASSES: dict[Method, int] = {"smooth_grad": 25 * PASS, "integrated_gradients": 50 * PASS}
FEWEST = 2  # images


@dataclass(eq=False)
class Saliency(Picture):
    """Saliency maps: which pixels the score of a class depends on, by several methods.

    Of the colour channels the largest magnitude is shown. Guided and rectified gradients are
    omitted for networks without a ReLU.

    Attributes:
        when: See `Picture`.
        methods: One column for each. SmoothGrad takes 25 passes and integrated gradients 50. The
            rectified gradient needs a network with max pooling (see `rectified_gradient`).
        num_images: Validation images, one row for each.
        images: Which images: `spread` over the classes, or the `first` ones of the split.
        explain: The class to explain: `predicted`, `true`, or the name of a class.

    Raises:
        ValueError: If there is no image or no method.
    """

    name: ClassVar[str] = "saliency"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("saliency", "network", "Overview"),)
    costly: ClassVar[bool] = True

    methods: tuple[Method, ...] = ("vanilla", "guided", "smooth_grad")
    num_images: int = 6
    images: Order = "spread"
    explain: str = "predicted"

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if self.num_images < 1 or not self.methods:
            raise ValueError(
                "pictures.saliency expects at least one image and one method, got num_images "
                f"{self.num_images} and methods {list(self.methods)}."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        passes = sum(PASSES.get(method, PASS) for method in self.methods)
        number = context.allowance.affordable(self.num_images, passes, FEWEST)
        targets = find_targets(context, number, self.explain, self.name, self.images)
        maps: dict[str, np.ndarray] = {}
        for method in self.methods:
            try:
                signed = SALIENCIES[method](context.model, targets.images, targets.classes)
            except NothingToShow:
                if set(self.methods) <= {"guided", "rectified"}:
                    raise
                continue
            maps[method] = signed.abs().amax(dim=1).float().cpu().numpy()
        images = targets.images.movedim(1, -1).cpu().numpy()
        count = counted(len(images), "image")
        title = f"Saliency for {targets.what}, {context.title}: {count}"
        title = doubtful_title(title, context, maps)
        figure = plot_saliency(images, maps, targets.captions, targets.colors, title)
        yield self.name, mark_doubtful(figure, context, maps)
