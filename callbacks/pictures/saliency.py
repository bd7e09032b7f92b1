"""Saliency of the probe images: which pixels matter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.explanation_targets import class_to_explain, find_targets
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
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


@dataclass(eq=False)
class Saliency(Picture):
    """Show which pixels matter to the class of each probe image, by several methods side by side.

    The largest magnitude of the colours counts. Guided and rectified gradients are left out of
    networks without a ReLU.

    Attributes:
        when: See `Picture`.
        methods: A column each; SmoothGrad and integrated gradients cost 25 and 50 passes.
        num_images: Validation images, a row each.
        explain: The class to explain: the one that is `predicted`, the `true` one, or one by name.

    Raises:
        ValueError: If there is to be no image or no method.
    """

    name: ClassVar[str] = "saliency"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("saliency", "network", "Overview"),)

    methods: tuple[Method, ...] = ("vanilla", "guided", "rectified")
    num_images: int = 6
    explain: str = "predicted"

    def __post_init__(self) -> None:
        """Refuse an empty picture."""
        super().__post_init__()
        if self.num_images < 1 or not self.methods:
            raise ValueError(
                "pictures.saliency needs an image and a method or more, got num_images "
                f"{self.num_images} and methods {list(self.methods)}."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        asked = find_targets(context, self.num_images, self.explain, self.name)
        maps: dict[str, np.ndarray] = {}
        for method in self.methods:
            try:
                signed = SALIENCIES[method](context.model, asked.images, asked.classes)
            except NothingToShow:
                if set(self.methods) <= {"guided", "rectified"}:
                    raise
                continue
            maps[method] = signed.abs().amax(dim=1).float().cpu().numpy()
        title = f"which pixels matter to {asked.what}, {context.title}"
        images = asked.images.movedim(1, -1).cpu().numpy()
        yield self.name, plot_saliency(images, maps, asked.captions, asked.colors, title)
