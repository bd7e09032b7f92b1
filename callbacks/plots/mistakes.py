"""Sheets of images that a network gets wrong."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.overlays import CMAP, overlaid
from callbacks.plots.drawing.sheet import RIGHT, WRONG, add_colorbar, columns_of, plot_sheet
from callbacks.plots.drawing.texts import shorten

TILE_INCHES = 1.5  # an image is looked at, and a caption has two names and three numbers
CAPTION = 0.35  # height of the captions, in tiles
PREDICTED_LENGTH, LABEL_LENGTH = 14, 10  # of names that leave room for a probability beside them


class NamedPrediction(NamedTuple):
    """A prediction for a labelled image, by the names of the classes."""

    predicted: str
    confidence: float  # in [0, 1]
    label: str
    loss: float  # cross-entropy: the label has the probability exp(-loss)


def plot_mistakes(
    images: np.ndarray, maps: np.ndarray | None, predictions: Sequence[NamedPrediction], title: str
) -> Figure:
    """Images in a sheet that is nearly square, each above itself under its map.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Where the evidence for the prediction lies, in [0, 1], (N, H, W); None for none.
        predictions: Of each image.
        title: What the images have in common.
    """
    tiles = np.broadcast_to(images, (*images.shape[:3], 3))
    captions = [_caption(prediction) for prediction in predictions]
    if maps is not None:
        gap = np.ones((len(tiles), max(1, tiles.shape[1] // 24), *tiles.shape[2:]))
        tiles = np.concatenate([tiles, gap, overlaid(images, maps)], axis=1)
        captions = [
            caption if map_.any() else f"{caption}\n(no evidence)"
            for caption, map_ in zip(captions, maps, strict=True)
        ]
    columns = columns_of(len(tiles), tiles.shape[1] / tiles.shape[2] + CAPTION)
    colors = [RIGHT if each.predicted == each.label else WRONG for each in predictions]
    figure = plot_sheet(tiles, captions, columns, title, colors, TILE_INCHES)
    if maps is not None:
        add_colorbar(figure.axes[0], CMAP, 0, 1, "evidence for the prediction (1 = strongest)")
    return figure


def _caption(prediction: NamedPrediction) -> str:
    predicted = f"{shorten(prediction.predicted, PREDICTED_LENGTH)} ({prediction.confidence:.0%})"
    label = f"not {shorten(prediction.label, LABEL_LENGTH)} ({math.exp(-prediction.loss):.0%})"
    correct = prediction.predicted == prediction.label
    return f"{predicted}\n{'right' if correct else label}\nloss {prediction.loss:.2f}"
