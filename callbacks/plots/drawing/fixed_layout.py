"""Fixed layout: a page with one image, a title above it and a colour bar to its right."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_bar import ROOM
from callbacks.plots.drawing.page import Box, new_page, show, write

MARGIN = 12  # pixels around everything
LINE, FONT = 24, 11  # of the title: pixels per line, and points
MIN_WIDTH = 660  # pixels, for the title
HEAD = 116  # pixels: height of the image in the corner


def picture_page(
    size: tuple[int, int],
    title: str,
    head: np.ndarray | None = None,
    axis: tuple[int, int] = (0, 0),
) -> tuple[Figure, Box]:
    """Create a figure for one image, and return it with the place of the image.

    Args:
        size: Width and height of the image in pixels.
        title: Title in a few short lines.
        head: A small image beside the title, (H, W, 3).
        axis: Pixels at the left and below for the labels of axes; (0, 0) for none.
    """
    top = LINE * (title.count("\n") + 1) if head is None else HEAD
    box = Box(MARGIN + axis[0], top + 2 * MARGIN, *size)
    width = max(round(box.right) + ROOM, MIN_WIDTH)
    figure = new_page(width, round(box.bottom) + axis[1] + MARGIN)
    start = MARGIN
    if head is not None:
        corner = Box(MARGIN, MARGIN, round(HEAD * head.shape[1] / head.shape[0]), HEAD)
        show(figure, head, corner)
        start += round(corner.width) + MARGIN
    write(figure, start, MARGIN, title, FONT, va="top", linespacing=1.35)
    return figure, box
