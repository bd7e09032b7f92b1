"""Activation maximisation: images that maximise the output of a filter or class."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.activation_maximisation_sheets import (
    Sheet,
    affordable_size,
    find_sheets,
    image_shape,
    whole_rows,
)
from callbacks.pictures.allowance import BUDGET
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When, setting
from callbacks.plots import plot_maximised
from callbacks.trainer_parts import ImageData
from models.explain import NothingToShow, find_layers, maximise_activation
from models.explain.activation_maximisation import (
    Detector,
    Maximised,
    Method,
    activated_detectors,
    find_detectors,
)
from models.explain.work import counted_operations, speed_of

FEWEST = 4  # images that are worth a figure
FEWEST_STEPS = 16  # of one class, whatever the budget
SEARCH = 6  # forward passes to find layers and to count, with images of half the size
STEP = 2  # a step takes a forward pass and one back to the image, in forward passes


@dataclass(eq=False)
class ActivationMaximisation(Picture):
    """Images that maximise the activation of filters and classes, found by gradient ascent.

    There is one figure per layer, and one for the classes, with the probability of the class for
    its image. Filters that stayed at zero in each step are crossed out:
    they may be dead, or the ascent had no start.

    Attributes:
        when: See `Picture`; `last` by default, since it takes longer than the others.
        layers: Names of layers or patterns such as `layer1.*`; `convolutions` for all convolutions.
            None for the first, a middle and the last convolution.
        activated: Maximise the output of the norm and activation that follow the layer. The mean
            output of a first convolution itself is linear in the image, so that it has no pattern.
        num_filters: Most images in a figure, for the first filters or classes.
        method: `fourier` (Olah et al., 2017) for natural-looking images, or `pixels` (Chollet,
            2016) for plain gradient ascent, which takes about 500 steps.
        steps: Steps of the gradient ascent.
        classes: Also show the classes.
        seconds: Limit for all figures. If it is low, each shows fewer filters, and figures with
            fewer than four are omitted; None for no limit. They are seconds of a typical device,
            counted in operations (see `models/explain/work.py`), so that the figures do not depend
            on how busy the machine is. The classes may take half of them.

    Raises:
        ValueError: If a number is not positive.
    """

    name: ClassVar[str] = "activation_maximisation"
    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind(
            "activation_maximisation",
            "network",
            figures=("activation_maximisation/classes",),
            shows_images=False,
        ),
    )
    costly: ClassVar[bool] = True

    when: When = "last"
    layers: str | list[str] | None = None
    activated: bool = True
    num_filters: int = 16
    method: Method = "fourier"
    steps: int = 64
    classes: bool = True
    seconds: float | None = 20.0

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        for option in ("num_filters", "steps", "seconds"):
            value = getattr(self, option)
            if value is not None and value <= 0:
                raise ValueError(
                    f"pictures.{self.name}.{option} is {value:g}; expected more than 0."
                )

    @property
    def fewest_passes(self) -> float:
        """See `Picture`: one class with few steps, at half the size, and the search for layers."""
        return FEWEST_STEPS * STEP / 4 + SEARCH

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """Check the layers against the network."""
        self._named(model)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        left, limit = self._limit(context)
        context, size = affordable_size(context, FEWEST * FEWEST_STEPS * STEP)
        sheets = find_sheets(context, self._detectors(context), self.num_filters, self.classes)
        left_out: list[str] = []
        for index, sheet in enumerate(sheets):
            parts = 2 if sheet.layer is None else len(sheets) - index
            number, steps, work = self._affordable(context, sheet, left, parts, index == 0)
            fewer = number < len(sheet.captions) or steps < self.steps
            context.allowance.exhausted |= fewer and limit == BUDGET
            if not number:
                left_out.append(sheet.name)
                continue
            left = max(left - work, 0.0)
            figure = self._figure(context, sheet, number, steps, f"{limit}{size}")
            yield f"{self.name}/{sheet.name}", figure
        if left_out:
            larger = "budget" if limit == BUDGET else f"{self.name}.seconds"
            verb = "is" if len(left_out) == 1 else "are"
            raise NothingToShow(
                f"{', '.join(left_out)} {verb} missing from the picture {self.name}: even {FEWEST} "
                f"images would exceed {limit}; a larger pictures.{larger} allows them."
            )

    def _limit(self, context: PictureContext) -> tuple[float, str]:
        """Operations that all figures may take, and the setting that limits them."""
        limits = [(math.inf, "")]
        if self.seconds is not None:
            limits.append((self.seconds * _speed(context), f"{self.seconds:g} seconds"))
        if math.isfinite(context.allowance.passes):
            with torch.no_grad(), counted_operations() as counter:
                context.model(context.sample(1)[0])
            passes = max(context.allowance.passes - SEARCH, 0)
            limits.append((passes * counter.operations, BUDGET))
        return min(limits)

    def _named(self, model: nn.Module) -> list[str]:
        patterns = [self.layers] if isinstance(self.layers, str) else self.layers or []
        with setting(f"{self.name}.layers"):
            return find_layers(model, patterns)

    def _detectors(self, context: PictureContext) -> list[Detector]:
        model, image = context.model, context.sample(1)[0]
        names = self._named(model)
        if not names:
            return find_detectors(model, image)
        if self.activated:
            return activated_detectors(model, image, names)
        return [Detector(name, name) for name in names]

    def _operations(self, context: PictureContext, sheet: Sheet) -> float:
        """Operations of a step for one image, beside the forward pass that finds the layer."""
        with torch.no_grad(), counted_operations() as one:
            context.model(context.sample(1)[0])
        with counted_operations() as counter:
            self._maximised(context, sheet, 1, 1)
        return counter.operations - one.operations

    def _maximised(
        self, context: PictureContext, sheet: Sheet, number: int, steps: int
    ) -> Maximised:
        shape = image_shape(context)
        return maximise_activation(
            context.model, sheet.layer, range(number), shape, self.method, steps
        )

    def _affordable(
        self, context: PictureContext, sheet: Sheet, left: float, parts: int, is_first: bool
    ) -> tuple[int, int, float]:
        """Numbers of images, 0 if they would be too few, and steps; and their operations."""
        wanted, steps = len(sheet.captions), self.steps
        if math.isinf(left):
            return wanted, steps, 0.0
        step, few = max(self._operations(context, sheet), 1.0), min(FEWEST, wanted)
        number = whole_rows(wanted, left / parts / (steps * step))
        if number < few:
            if not is_first or math.isinf(context.allowance.passes):
                return 0, steps, 0.0
            fewest = min(steps, FEWEST_STEPS)
            number = max(1, min(few, int(left / (fewest * step))))
            steps = min(steps, max(fewest, int(left / (number * step))))
        return number, steps, number * steps * step

    def _figure(
        self, context: PictureContext, sheet: Sheet, number: int, steps: int, limit: str
    ) -> Figure:
        images, _, dead = self._maximised(context, sheet, number, steps)
        captions = sheet.captions[:number]
        if sheet.layer is None:
            with torch.no_grad():
                confidences = context.model(images).softmax(dim=1).diagonal().tolist()
            captions = [f"{c}\n{p:.0%}" for c, p in zip(captions, confidences, strict=True)]
        shown = f"the first {number} of {sheet.total}" if number < sheet.total else f"all {number}"
        shown += f", {steps} of {self.steps} steps" * (steps < self.steps)
        if number < len(sheet.captions) or steps < self.steps:
            shown += f" (limit: {limit})"
        silent = f", {dead.sum()} stayed at zero" if dead.any() else ""
        return plot_maximised(
            images.movedim(1, -1).cpu().numpy(),
            captions,
            dead.cpu().numpy(),
            f"Images that maximise {sheet.heading}\n{context.title}: {shown}{silent}",
        )


def _speed(context: PictureContext) -> float:
    return speed_of(next(context.model.parameters()).device)
