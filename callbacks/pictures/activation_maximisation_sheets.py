"""Sheets of activation maximisation: one for the classes, and one for each layer."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from callbacks.pictures.half_size import half_sized
from callbacks.pictures.picture import PictureContext
from callbacks.plots.drawing.texts import shorten
from models.explain import short_name
from models.explain.activation_maximisation import Detector, count_channels

Shape = tuple[int, int, int]  # of an image, (C, H, W)


class Sheet(NamedTuple):
    """Content of one figure.

    Attributes:
        name: Name of the layer, or `classes`.
        heading: What is maximised, for the title.
        layer: The layer whose output is maximised; None for the classes.
        captions: Names of the channels to show.
        total: Number of channels of the layer.
    """

    name: str
    heading: str
    layer: nn.Module | None
    captions: list[str]
    total: int


def find_sheets(
    context: PictureContext, detectors: Sequence[Detector], num_filters: int, classes: bool
) -> list[Sheet]:
    """The sheets to draw; that of the classes comes first, since it is the most informative.

    Args:
        context: Model and images.
        detectors: Layers to show.
        num_filters: Most channels in a sheet, the first ones.
        classes: Whether there is a sheet for the classes.
    """
    model, sheets = context.model, []
    if classes:
        names = list(context.class_names)
        heading = "the logit of each class"
        sheets.append(Sheet("classes", heading, None, names[:num_filters], len(names)))
    for name, answer in detectors:
        layer, short = model.get_submodule(answer), short_name(model, name)
        after = "" if answer == name else f", after {type(layer).__name__}"
        total = count_channels(model, layer, image_shape(context))
        captions = [str(channel) for channel in range(min(num_filters, total))]
        sheets.append(
            Sheet(short, f"each channel of {shorten(short, 30)}{after}", layer, captions, total)
        )
    return sheets


def image_shape(context: PictureContext) -> Shape:
    """Shape of the images that the network takes."""
    _, channels, height, width = context.sample(1)[0].shape
    return channels, height, width


def whole_rows(wanted: int, affordable: float) -> int:
    """How many images to draw: all, or full rows of as many as the limit allows."""
    if affordable >= wanted:
        return wanted
    number = int(affordable)
    return number - number % max(1, round(number**0.5))


def affordable_size(context: PictureContext, passes: float) -> tuple[PictureContext, str]:
    """The context with smaller images if it allows fewer passes, and what a title says of that."""
    smaller = half_sized(context) if context.allowance.passes < passes else None
    if smaller is None:
        return context, ""
    _, height, width = image_shape(smaller)
    return smaller, f", so at {width} x {height} pixels"
