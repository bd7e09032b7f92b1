"""A figure with one picture, its title above and its scale to the right, placed by hand.

Matplotlib's layout engines draw everything several times to find out where it fits.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.scale import Scale
from callbacks.plots.drawing.style import DPI

BAR, MARGIN = 92, 12  # pixels: of a scale with its text, and around everything
LINE, FONT = 24, 11  # pixels of a line of the title, and points
MIN_WIDTH = 660  # pixels that a title needs
HEAD = 116  # pixels: height of the picture in the corner


def add_picture_axes(
    size: tuple[int, int],
    title: str,
    head: np.ndarray | None = None,
    axis: tuple[int, int] = (0, 0),
) -> Axes:
    """Axes for the picture, in a new figure that fits around it.

    Args:
        size: Width and height of the picture in pixels.
        title: A few short lines.
        head: A small picture beside the title, (H, W, 3).
        axis: Pixels to leave at the left and below for labels; none are drawn without.
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
    """Draw the scale to the right of the picture."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * DPI
    box = axes.get_position()
    scale.add_bar(_add(figure, box.x1 * width + 8, box.y0 * height, 12, box.height * height))


def _add(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place in pixels."""
    across, up = figure.get_size_inches() * DPI
    return figure.add_axes((left / across, bottom / up, width / across, height / up))
