"""Saliency: which pixels the score of a class depends on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.doubts import doubtful_title, mark_doubtful
from callbacks.pictures.explanation_targets import Order, class_to_explain, find_targets
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
from callbacks.plots.saliency import plot_saliency
from callbacks.trainer_parts import ImageData
from models.explain import SALIENCIES, NothingToShow
from models.explain.saliency import integrated_gradients, smooth_grad

Method = Literal[
    "vanilla",
    "guided",
    "rectified",
    "smooth_grad",
    "gradient_times_input",
    "integrated_gradients",
]

PASS = 2  # forward and backward to the image, in forward passes
SAMPLES: dict[str, int] = {"smooth_grad": 25, "integrated_gradients": 50}
FEWEST = 4  # samples, whatever the limit
NAMES: dict[str, str] = {
    "smooth_grad": "SmoothGrad of {} samples",
    "integrated_gradients": "integrated gradients of {} steps",
}


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

    @property
    def fewest_passes(self) -> float:
        """See `Picture`: one image, and few samples."""
        return self._passes(FEWEST)

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        number, samples = self._affordable(context)
        targets = find_targets(context, number, self.explain, self.name, self.images)
        maps: dict[str, np.ndarray] = {}
        for method in self.methods:
            try:
                signed = _attributions(
                    method, context.model, targets.images, targets.classes, samples
                )
            except NothingToShow:
                if set(self.methods) <= {"guided", "rectified"}:
                    raise
                continue
            maps[method] = signed.abs().amax(dim=1).float().cpu().numpy()
        images = targets.images.movedim(1, -1).cpu().numpy()
        count = context.allowance.counted(len(images), context.available(self.num_images))
        title = f"Saliency for {targets.what}, {context.title}: {count}"
        reduced = [NAMES[m].format(samples[m]) for m in maps if samples.get(m) != SAMPLES.get(m)]
        title += f"\n{', '.join(reduced)}, to keep to the budget" if reduced else ""
        title = doubtful_title(title, context, maps)
        figure = plot_saliency(images, maps, targets.captions, targets.colors, title)
        yield self.name, mark_doubtful(figure, context, maps)

    def _passes(self, samples: int | None = None) -> float:
        """Forward passes for an image, with a number of samples, or as many as by default."""
        counts = (min(samples or number, number) for number in self._samples.values())
        return 1 + PASS * (len(self.methods) - len(self._samples) + sum(counts))

    @property
    def _samples(self) -> dict[str, int]:
        return {method: SAMPLES[method] for method in self.methods if method in SAMPLES}

    def _affordable(self, context: PictureContext) -> tuple[int, dict[str, int]]:
        """Number of images, and samples of each method: fewer images come before fewer samples."""
        samples, allowance = self._samples, context.allowance
        wanted = context.available(self.num_images)
        number = allowance.affordable(wanted, self._passes(), 1)
        plain = number * (self._passes(1) - PASS * len(samples))
        for method, count in samples.items():
            each = number * PASS * len(samples)
            samples[method] = allowance.affordable(count, each, FEWEST, besides=plain)
        return number, samples


def _attributions(
    method: str, model: nn.Module, images: Tensor, classes: Tensor, samples: dict[str, int]
) -> Tensor:
    if method == "smooth_grad":
        return smooth_grad(model, images, classes, samples[method])
    if method == "integrated_gradients":
        return integrated_gradients(model, images, classes, samples[method])
    return SALIENCIES[method](model, images, classes)
