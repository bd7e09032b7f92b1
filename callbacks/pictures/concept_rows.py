"""Rows of the sheet and the table of concepts."""

from collections.abc import Iterator

import torch
from torch import Tensor

from callbacks.pictures.picture import Table
from callbacks.plots.concepts import ConceptRow
from models.explain.class_activation.capture import to_heat
from models.explain.concepts import Concepts as Found
from models.explain.concepts import crop_boxes, cut

CROPS, IMAGES = 6, 3  # of a concept in the sheet
COLUMNS = (
    "class",
    "images",
    "concept",
    "total Sobol index",
    "fall of the logit without it",
    "activations reproduced",
)


def sheet_rows(images: Tensor, found: Found, share: float) -> Iterator[ConceptRow]:
    """What the sheet shows of each concept."""
    boxes, shown = crop_boxes(images.shape[2:], share), images.movedim(1, -1).cpu().numpy()
    for index, (importance, fall) in enumerate(zip(found.importance, found.falls, strict=True)):
        crops = [
            cut(images[image], boxes[crop]).movedim(0, -1).cpu().numpy()
            for image, crop in found.top_crops(index, CROPS)
        ]
        chosen = found.top_images(index, IMAGES)
        maps = to_heat(torch.from_numpy(found.in_images[chosen, index]), images)
        yield ConceptRow(importance, fall, crops, shown[chosen], maps.numpy())


def add_rows(table: Table, name: str, number: int, found: Found) -> None:
    """Add the concepts of a class to the table."""
    values = zip(found.importance.tolist(), found.falls.tolist(), strict=True)
    for index, (importance, fall) in enumerate(values, start=1):
        row = (name, number, index, importance, fall, found.explained)
        for column, value in zip(COLUMNS, row, strict=True):
            table[column].append(value)


def crop_size(scale: float) -> str:
    """Words for a title on the size of the crops; empty if it is the full size."""
    return "" if scale == 1 else f", crops at {scale:.0%} of the size of the image"
