"""What the pictures of activation maximisation show: a sheet a layer, and one for the classes."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from callbacks.pictures.picture import PictureContext
from callbacks.plots.drawing.texts import shorten
from models.explain import short_name
from models.explain.activation_maximisation import Detector, count_channels, find_detectors

Shape = tuple[int, int, int]  # of an image, (C, H, W)


class Sheet(NamedTuple):
    """What one figure shows.

    Attributes:
        name: Of the layer, or `classes`.
        heading: First line of the title.
        layer: What is to answer; None for the classes.
        captions: Names of the channels to show.
        total: Channels that there are.
    """

    name: str
    heading: str
    layer: nn.Module | None
    captions: list[str]
    total: int


def find_sheets(
    context: PictureContext, layers: Sequence[Detector], num_filters: int, classes: bool
) -> list[Sheet]:
    """The sheet of the classes, which says most, and those of layers, or of three that are found.

    Args:
        context: Whose network it is.
        layers: Layers that are asked for; if none, see `find_detectors`.
        num_filters: Channels in a sheet at most, the first ones.
        classes: Whether to show the classes too.

    Raises:
        NothingToShow: If no layer is asked for, and none can be found.
    """
    model, sheets = context.model, []
    if classes:
        names = list(context.class_names)
        heading = "classes, before softmax"
        sheets.append(Sheet("classes", heading, None, names[:num_filters], len(names)))
    for name, answer in layers or find_detectors(model, context.sample(1)[0]):
        layer, short = model.get_submodule(answer), short_name(model, name)
        after = "" if answer == name else f", after {type(layer).__name__}"
        total = count_channels(model, layer, image_shape(context))
        captions = [str(channel) for channel in range(min(num_filters, total))]
        sheets.append(Sheet(short, shorten(short, 40) + after, layer, captions, total))
    return sheets


def image_shape(context: PictureContext) -> Shape:
    """Of the images that the network takes."""
    _, channels, height, width = context.sample(1)[0].shape
    return channels, height, width
