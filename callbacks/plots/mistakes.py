"""Mistakes: contact sheets of images with prediction, label and loss."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import Scale
from callbacks.plots.drawing.contact_sheet import columns_of, plot_contact_sheet
from callbacks.plots.drawing.grid_version import TILES, set_grid_version, small_sheet
from callbacks.plots.drawing.overlays import CMAP, beside, overlaid
from callbacks.plots.drawing.style import BAD, GOOD
from callbacks.plots.drawing.texts import shorten

TILE_INCHES = 1.5  # wide enough for a caption of two names and three numbers
PAIR_INCHES = 1.1  # height of an image beside its heat map
CAPTION = 0.35  # height of the captions, in tiles
SMALL_LENGTH = 12  # letters of a name in the grid version
EVIDENCE = "evidence for the prediction (1 = strongest)"
PREDICTED_LENGTH, LABEL_LENGTH = 14, 10  # letters of names, so that a probability fits beside them


class NamedPrediction(NamedTuple):
    """A prediction for a labelled image, by the names of the classes."""

    predicted: str
    confidence: float  # in [0, 1]
    label: str
    loss: float  # cross-entropy: the label has the probability exp(-loss)


def plot_mistakes(
    images: np.ndarray, maps: np.ndarray | None, predictions: Sequence[NamedPrediction], title: str
) -> Figure:
    """Draw a nearly square contact sheet: each image, and beside it the same with its heat map.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Evidence for the prediction, in [0, 1], (N, H, W); None to draw no heat maps.
        predictions: Prediction for each image.
        title: Title of the figure.
    """
    tiles = np.broadcast_to(images, (*images.shape[:3], 3))
    captions = [_caption(prediction) for prediction in predictions]
    if maps is not None:
        tiles = beside(tiles, overlaid(images, maps))
        captions = [
            caption if map_.any() else f"{caption}\n(no evidence)"
            for caption, map_ in zip(captions, maps, strict=True)
        ]
    columns = columns_of(len(tiles), tiles.shape[1] / tiles.shape[2] + CAPTION)
    colors = [GOOD if each.predicted == each.label else BAD for each in predictions]
    inches = TILE_INCHES if maps is None else PAIR_INCHES
    scale = None if maps is None else Scale(CMAP, 0, 1, EVIDENCE)
    figure = plot_contact_sheet(tiles, captions, columns, title, colors, inches, scale=scale)
    words = [shorten(each.predicted, SMALL_LENGTH) for each in predictions]
    shown = np.broadcast_to(images, (*images.shape[:3], 3))[:TILES]
    return set_grid_version(figure, small_sheet, shown, 3, words[:TILES], colors)


def _caption(prediction: NamedPrediction) -> str:
    predicted = f"{shorten(prediction.predicted, PREDICTED_LENGTH)} ({prediction.confidence:.0%})"
    label = f"not {shorten(prediction.label, LABEL_LENGTH)} ({math.exp(-prediction.loss):.0%})"
    correct = prediction.predicted == prediction.label
    return f"{predicted}\n{'correct' if correct else label}\nloss {prediction.loss:.2f}"
