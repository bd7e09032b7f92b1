"""Pictures of what would excite a network most."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.activation_maximisation_sheets import Sheet, find_sheets, image_shape
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When, setting
from callbacks.plots import plot_maximised
from callbacks.trainer_parts import ImageData
from models.explain import NothingToShow, find_layers, maximise_activation
from models.explain.activation_maximisation import Detector, Maximised, Method

FEWEST = 4  # images that are worth a sheet


@dataclass(eq=False)
class ActivationMaximisation(Picture):
    """Show the images that filters and classes would answer most, found by gradient ascent.

    A sheet a layer, and one for the classes with the probability that the network gives to what it
    is shown. What never answers is crossed out.

    Attributes:
        when: See `Picture`; by default once, for it costs more than the others.
        layers: A name or several, or patterns such as `layer1.*`; `convolutions` for all of them.
            What a layer of that name puts out is maximised: name the ReLU after a convolution for
            what the next layer sees. None for the first, middle and last convolution, each with
            the norm and activation that follow it.
        num_filters: Images in a sheet at most, of the first filters or classes.
        method: `fourier` (Olah et al., 2017) for images that look like natural ones, or `pixels`
            (Chollet, 2016) for plain gradient ascent, which takes 500 steps or so.
        steps: Of the ascent.
        classes: Whether to show the classes too.
        seconds: Time for all sheets. Where it is not enough, each shows fewer filters, and none
            if fewer than four; None for as long as it takes.

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

    when: When = "last"
    layers: str | list[str] | None = None
    num_filters: int = 16
    method: Method = "fourier"
    steps: int = 64
    classes: bool = True
    seconds: float | None = 20.0

    def __post_init__(self) -> None:
        """Refuse numbers that ask for nothing."""
        super().__post_init__()
        for option in ("num_filters", "steps", "seconds"):
            value = getattr(self, option)
            if value is not None and value <= 0:
                raise ValueError(
                    f"pictures.{self.name}.{option} is {value:g}; expected more than 0."
                )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """Refuse layers that the network lacks."""
        self._named(model)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        layers = self._named(context.model)
        sheets = find_sheets(context, layers, self.num_filters, self.classes)
        ends = None if self.seconds is None else time.perf_counter() + self.seconds
        left_out: list[str] = []
        for index, sheet in enumerate(sheets):
            number = len(sheet.captions)
            if ends is not None:
                share = (ends - time.perf_counter()) / (len(sheets) - index)
                number = self._affordable(context, sheet, share)
            if number >= min(FEWEST, len(sheet.captions)):
                yield f"{self.name}/{sheet.name}", self._figure(context, sheet, number)
            else:
                left_out.append(sheet.name)
        if left_out:
            raise NothingToShow(
                f"{', '.join(left_out)}: {FEWEST} images would take longer than is left of "
                f"pictures.{self.name}.seconds, {self.seconds:g}."
            )

    def _named(self, model: nn.Module) -> list[Detector]:
        patterns = [self.layers] if isinstance(self.layers, str) else self.layers or []
        with setting(f"{self.name}.layers"):
            return [Detector(name, name) for name in find_layers(model, patterns)]

    def _affordable(self, context: PictureContext, sheet: Sheet, seconds: float) -> int:
        """How many images can climb in this time, judged by a few steps of a few of them."""

        def needed(number: int, steps: int) -> float:
            started = time.perf_counter()
            self._maximised(context, sheet, number, steps).dead.any().item()  # waits for the device
            return time.perf_counter() - started

        needed(1, 1)  # the first use of a device takes longer
        if needed(1, 1) * self.steps > seconds:
            return 0
        few = min(FEWEST, len(sheet.captions))
        each = max(needed(few, 3) - needed(few, 1), 1e-9) / (2 * few)
        number = max(0, int(seconds / (each * self.steps)))
        if number >= len(sheet.captions):
            return len(sheet.captions)
        return number - number % max(1, round(number**0.5))  # full rows

    def _maximised(
        self, context: PictureContext, sheet: Sheet, number: int, steps: int
    ) -> Maximised:
        shape = image_shape(context)
        return maximise_activation(
            context.model, sheet.layer, range(number), shape, self.method, steps
        )

    def _figure(self, context: PictureContext, sheet: Sheet, number: int) -> Figure:
        images, _, dead = self._maximised(context, sheet, number, self.steps)
        captions = sheet.captions[:number]
        if sheet.layer is None:
            with torch.no_grad():
                sure = context.model(images).softmax(dim=1).diagonal().tolist()
            captions = [f"{c}\n{p:.0%}" for c, p in zip(captions, sure, strict=True)]
        shown = f"{number} of {sheet.total}" if number < sheet.total else f"all {number}"
        died = f"{dead.sum()} dead, " if dead.any() else ""
        return plot_maximised(
            images.movedim(1, -1).cpu().numpy(),
            captions,
            dead.cpu().numpy(),
            f"{sheet.heading}\nwhat excites each most, {shown}, {died}{context.title}",
        )
