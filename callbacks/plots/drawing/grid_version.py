"""Grid version of a figure: what MLflow's image grid shows of it, often 255 pixels wide.

The grid shows a small file, and the figure itself when one clicks it. Shrunk to 255 pixels, the
letters of a figure are two pixels high. So a plot function may have a second way to draw: fewer
images, fewer words, larger letters.
"""

from collections.abc import Callable, Sequence
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import enlarged, tile
from callbacks.plots.drawing.page import Box, new_page, show, write
from callbacks.plots.drawing.style import BAD

# 256 pixels, as in MLflow: it shows the file at its own size, so that three runs fit beside each
# other; a larger one would push the others out of sight.
INCHES, DPI = 2.56, 100
WIDTH = round(INCHES * DPI)  # pixels
FONT = 8  # points: letters are 11 pixels high
TILES = 9  # images of a contact sheet
MAX_TILES = 64  # of a mosaic
HEADING = 0.2  # inches

_versions: WeakKeyDictionary[Figure, Callable[[], Figure]] = WeakKeyDictionary()
_warnings: WeakKeyDictionary[Figure, str] = WeakKeyDictionary()


def set_grid_version(figure: Figure, plot: Callable[..., Figure], *arguments: object) -> Figure:
    """Remember how to draw the grid version of a figure; it is drawn only if it is logged."""
    _versions[figure] = partial(plot, *arguments)
    return figure


def grid_version(figure: Figure) -> Figure | None:
    """Draw the grid version of a figure; None if it has none."""
    if figure not in _versions:
        return None
    small = _versions[figure]()
    return _with_heading(small, _warnings[figure]) if figure in _warnings else small


def warn_in_grid(figure: Figure, text: str) -> None:
    """Let the grid version of a figure, which has no title, begin with a few words."""
    _warnings[figure] = text


def _with_heading(figure: Figure, text: str) -> Figure:
    before = figure.get_figheight()
    height = before + HEADING
    figure.set_figheight(height)
    for axes in figure.axes:
        box = axes.get_position()
        shares = (box.y0 * before / height, box.height * before / height)
        axes.set_position((box.x0, shares[0], box.width, shares[1]))
    look = {"ha": "center", "va": "center", "fontsize": FONT + 1, "color": BAD, "weight": "bold"}
    figure.text(0.5, 1 - HEADING / 2 / height, text, **look)
    return figure


def small_axes() -> Axes:
    """Axes that fill a figure of the width of the grid."""
    figure = Figure(figsize=(INCHES, INCHES), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return axes


def small_plot() -> Axes:
    """Axes with room for ticks and labels, in a figure of the width of the grid."""
    axes = Figure(figsize=(INCHES, INCHES), dpi=DPI, layout="constrained").subplots()
    axes.tick_params(labelsize=FONT)
    return axes


def small_sheet(
    tiles: np.ndarray, columns: int, captions: Sequence[str] = (), colors: Sequence[str] = ()
) -> Figure:
    """Images row by row, the first ones of a contact sheet, with a word below each.

    Args:
        tiles: Images in [0, 1], (N, H, W, 3).
        columns: Images in a row.
        captions: A word for each image; empty for none.
        colors: Colour of each caption.
    """
    gap, rows = 4, -(-len(tiles) // columns)  # pixels
    width = (WIDTH + gap) // columns - gap
    height = round(width * tiles.shape[1] / tiles.shape[2])
    below = round(1.4 * FONT * DPI / 72) if captions else 0
    figure = new_page(WIDTH, rows * (height + below + gap) - gap, DPI)
    for index, picture in enumerate(tiles):
        row, column = divmod(index, columns)
        box = Box(column * (width + gap), row * (height + below + gap), width, height)
        show(figure, picture, box)
        if captions:
            color = colors[index] if colors else "black"
            look = {"ha": "center", "va": "top", "color": color}
            write(figure, box.middle[0], box.bottom, captions[index], FONT, **look)
    return figure


def small_mosaic(tiles: np.ndarray, ground: float) -> Figure:
    """The first images of a mosaic, uint8 (N, h, w, 3), without title and scale.

    Args:
        tiles: The images.
        ground: Grey level between them, in [0, 1].
    """
    tiles = tiles[:MAX_TILES]
    columns = int(np.ceil((len(tiles) * tiles.shape[1] / tiles.shape[2]) ** 0.5))
    sheet = tile(enlarged(tiles, round(INCHES * DPI / columns)), columns, ground)
    height = round(WIDTH * sheet.shape[0] / sheet.shape[1])
    figure = new_page(WIDTH, height, DPI)
    show(figure, sheet, Box(0, 0, WIDTH, height))
    return figure
