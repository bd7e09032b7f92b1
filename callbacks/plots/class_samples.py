"""Class samples: a row of images for each class."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from callbacks.plots.drawing.contact_sheet import TITLE_FONT, enlarged, tile
from callbacks.plots.drawing.style import DPI
from callbacks.plots.drawing.texts import inches_of, shorten, wrapped

PAGE_INCHES, MAX_ROW_INCHES = 15, 0.8  # height of all rows, and of one
SIDE = 100  # pixels that a row is high at most
FONT, NAME_LENGTH = 8, 28  # points, letters


def plot_class_samples(images: Mapping[str, np.ndarray], num_classes: int) -> Figure:
    """Draw a row of images for each class, with its name on the left.

    Args:
        images: Images of each class by its name, in [0, 1], (n, H, W, C) with n of 1 or more.
        num_classes: Number of classes of the dataset, for the title.
    """
    columns = max(map(len, images.values()))
    rows = [_row(of_class, columns) for of_class in images.values()]
    height, width = rows[0].shape[:2]
    inches = min(MAX_ROW_INCHES, PAGE_INCHES / len(rows))  # height of a row
    names = [shorten(name, NAME_LENGTH) for name in images]
    beside = max(inches_of(name, FONT) for name in names) + 0.3
    across = max(inches * width / height + beside, 4.2)
    shown = str(num_classes) if len(rows) == num_classes else f"{len(rows)} of {num_classes}"
    title = wrapped(f"Training images of each class, {shown} classes", across, TITLE_FONT)
    layout = ConstrainedLayoutEngine(compress=True)  # keeps the names close to the images
    figure = Figure((across, inches * len(rows) + 0.6), dpi=DPI, layout=layout)
    figure.suptitle(title, fontsize=TITLE_FONT)
    axes = figure.subplots()
    axes.imshow(np.concatenate(rows), interpolation="nearest")
    middles = height * (np.arange(len(rows)) + 0.5) - 0.5
    axes.set_yticks(middles, names, fontsize=FONT)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _row(images: np.ndarray, columns: int) -> np.ndarray:
    """Images beside each other, white where there are too few, (H, W, 3)."""
    step = max(1, max(images.shape[1:3]) // SIDE)
    images = np.broadcast_to(images[:, ::step, ::step], (*images[:, ::step, ::step].shape[:3], 3))
    images = enlarged(images, SIDE)
    missing = np.ones((columns - len(images), *images.shape[1:]))
    row = tile(np.concatenate([images, missing]), columns)
    below = np.ones((max(1, images.shape[1] // 16), row.shape[1], 3))
    return np.concatenate([row, below])
