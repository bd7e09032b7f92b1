"""Sheets of images that one network gets right and another does not."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import columns_of, plot_contact_sheet
from callbacks.plots.drawing.style import BAD, GOOD
from callbacks.plots.drawing.texts import shorten

TILE_INCHES, CAPTION_FONT = 1.45, 9  # points: a page shows a sheet smaller than it is drawn
CAPTION = 0.35  # height of the captions, in tiles
STRETCH = 2  # width over height: two sheets are seen one above the other
NAME_LENGTH = 11  # that leaves room for a probability beside it


class Change(NamedTuple):
    """What two networks said of an image, by the names of the classes, and how sure they were."""

    label: str
    before: str
    before_confidence: float  # in [0, 1]
    after: str
    after_confidence: float


def plot_changes(images: np.ndarray, changes: Sequence[Change], title: str) -> Figure:
    """Images in a sheet that is wider than high, each above its label and both predictions.

    Args:
        images: In [0, 1], (N, H, W, C).
        changes: What was said of each image.
        title: What the images have in common.
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
