"""Changes: contact sheets of images that only one of two networks classifies correctly."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import columns_of, plot_contact_sheet
from callbacks.plots.drawing.style import BAD, GOOD
from callbacks.plots.drawing.texts import shorten

TILE_INCHES, CAPTION_FONT = 1.45, 9  # points: an HTML page shows the figure at a reduced size
CAPTION = 0.35  # height of the captions, in tiles
STRETCH = 2  # width divided by height: two figures are shown one above the other
NAME_LENGTH = 11  # letters, so that a probability fits beside it


class Change(NamedTuple):
    """Label of an image and the predictions of two networks, by the names of the classes."""

    label: str
    before: str
    before_confidence: float  # in [0, 1]
    after: str
    after_confidence: float


def plot_changes(images: np.ndarray, changes: Sequence[Change], title: str) -> Figure:
    """Draw a wide contact sheet, each image with its label and both predictions.

    Args:
        images: In [0, 1], (N, H, W, C).
        changes: Label and predictions of each image.
        title: Title of the figure.
    """
    columns = columns_of(len(images), STRETCH * (images.shape[1] / images.shape[2] + CAPTION))
    captions = [_caption(change) for change in changes]
    colors = [GOOD if change.after == change.label else BAD for change in changes]
    return plot_contact_sheet(images, captions, columns, title, colors, TILE_INCHES, CAPTION_FONT)


def _caption(change: Change) -> str:
    before, after = (shorten(name, NAME_LENGTH) for name in (change.before, change.after))
    return (
        f"{change.label}\n{before} ({change.before_confidence:.0%})"
        f"\n→ {after} ({change.after_confidence:.0%})"
    )
