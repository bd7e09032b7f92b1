"""Fixed layout: a figure with one image, a title above it and a colour bar to its right.

It is faster than Matplotlib's layout engines, which draw a figure several times.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import Scale
from callbacks.plots.drawing.style import DPI

BAR, MARGIN = 92, 12  # pixels: width of a colour bar with its text, and around everything
LINE, FONT = 24, 11  # of the title: pixels per line, and points
MIN_WIDTH = 660  # pixels, for the title
HEAD = 116  # pixels: height of the image in the corner


def add_picture_axes(
    size: tuple[int, int],
    title: str,
    head: np.ndarray | None = None,
    axis: tuple[int, int] = (0, 0),
) -> Axes:
    """Create a figure for one image, and return the axes to draw it in.

    Args:
        size: Width and height of the image in pixels.
        title: Title in a few short lines.
        head: A small image beside the title, (H, W, 3).
        axis: Pixels at the left and below for the labels of the axes; (0, 0) for axes without.
    """
    top = LINE * (title.count("\n") + 1) if head is None else HEAD
    left, bottom = MARGIN + axis[0], MARGIN + axis[1]
    across = max(left + size[0] + BAR + MARGIN, MIN_WIDTH)
    pixels = (across, bottom + size[1] + top + 2 * MARGIN)
    figure = Figure(figsize=(pixels[0] / DPI, pixels[1] / DPI), dpi=DPI)
    axes = _add(figure, left, bottom, *size)
    if axis == (0, 0):
        axes.set_axis_off()
    start = MARGIN
    if head is not None:
        width = round(HEAD * head.shape[1] / head.shape[0])
        corner = _add(figure, MARGIN, pixels[1] - MARGIN - HEAD, width, HEAD)
        corner.imshow(head, aspect="auto")
        corner.set_axis_off()
        start += width + MARGIN
    y = 1 - MARGIN / pixels[1]
    figure.text(start / pixels[0], y, title, fontsize=FONT, va="top", linespacing=1.35)
    return axes


def add_scale(axes: Axes, scale: Scale) -> None:
    """Draw the colour bar to the right of the image."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * DPI
    box = axes.get_position()
    scale.add_bar(_add(figure, box.x1 * width + 8, box.y0 * height, 12, box.height * height))


def _add(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a position in pixels."""
    across, up = figure.get_size_inches() * DPI
    return figure.add_axes((left / across, bottom / up, width / across, height / up))
