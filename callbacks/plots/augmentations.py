"""Augmentations: training images and augmented versions of them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import plot_contact_sheet
from callbacks.plots.drawing.texts import counted


def plot_augmentations(images: np.ndarray, draws: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw one row per image: the image, then its augmented versions; alone if none differs.

    Args:
        images: In [0, 1], (N, H, W, C).
        draws: The same images augmented, (N, num_draws, H, W, C).
        names: Class of each image.
    """
    number = counted(len(images), "image")
    if np.array_equal(draws, np.broadcast_to(images[:, None], draws.shape)):
        columns = int(np.ceil(len(images) ** 0.5))
        return plot_contact_sheet(
            images, names, columns, f"Training images, which are not augmented: {number}"
        )
    num_draws = draws.shape[1]
    tiles = np.concatenate([images[:, None], draws], axis=1).reshape(-1, *images.shape[1:])
    captions = [text for name in names for text in (name, *[""] * num_draws)]
    title = f"Training images (left) and their augmentations: {number}"
    return plot_contact_sheet(tiles, captions, num_draws + 1, title)
