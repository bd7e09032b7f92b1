"""Contact sheets: many small images in one figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from callbacks.plots.drawing.style import DPI, NEUTRAL
from callbacks.plots.drawing.texts import letters_in, shorten, wrapped

TILE_INCHES = 1.05
CAPTION_INCHES = 0.14  # per line
CAPTION_FONT, TITLE_FONT, BAR_FONT = 7.5, 10, 8  # points
TITLE_INCHES = 0.17  # per line
BAR_INCHES = 0.75  # width of a colour bar with its ticks and its label
MIN_INCHES = 4.2  # least width; the tiles of a sheet of few columns are up to twice as large
GAP = 0.06  # between tiles, in tiles


def plot_contact_sheet(
    tiles: np.ndarray,
    captions: Sequence[str],
    columns: int,
    title: str,
    colors: Sequence[str] | None = None,
    tile_inches: float = TILE_INCHES,
    caption_font: float = CAPTION_FONT,
) -> Figure:
    """Draw images row by row, each with a caption below.

    Args:
        tiles: Images in [0, 1], (N, H, W, 3) or (N, H, W, 1).
        captions: Text for each image, in one or more lines; empty for none.
        columns: Images in a row.
        title: Title of the figure; long lines are wrapped.
        colors: Colour of each caption.
        tile_inches: Shorter side of an image; in a sheet of few columns they are larger.
        caption_font: Size of the captions, in points.
    """
    lines = max((caption.count("\n") + 1 for caption in captions if caption), default=0)
    rows = -(-len(tiles) // columns)
    ratio = tiles.shape[1] / tiles.shape[2]  # a tile is one unit wide and `ratio` high
    inches = tile_inches / min(ratio, 1)
    inches = min(max(inches, MIN_INCHES / columns), 2 * inches)
    caption = GAP + lines * CAPTION_INCHES * caption_font / CAPTION_FONT / inches
    width = max(columns * inches * (1 + GAP), MIN_INCHES)
    title = wrapped(title, width, TITLE_FONT)
    height = rows * inches * (ratio + caption) + TITLE_INCHES * (title.count("\n") + 3)
    layout = ConstrainedLayoutEngine(
        h_pad=0.08, compress=True
    )  # keeps a colour bar close to the tiles
    figure = Figure(figsize=(width + 0.2, height), dpi=DPI, layout=layout)
    figure.suptitle(title, fontsize=TITLE_FONT)
    axes = figure.subplots()
    axes.set_axis_off()
    room = letters_in(inches, caption_font)
    if not lines:
        sheet = tile(enlarged(tiles, round(2 / GAP)), columns)
        _show(axes, sheet, (0, 0), columns * (1 + GAP) - GAP)
    for index, picture in enumerate(tiles if lines else ()):
        row, column = divmod(index, columns)
        left, top = column * (1 + GAP), row * (ratio + caption)
        _show(axes, picture, (left, top), 1)
        axes.text(
            left + 0.5,
            top + ratio + 0.02,
            "\n".join(shorten(line, room) for line in captions[index].split("\n")),
            ha="center",
            va="top",
            fontsize=caption_font,
            color=colors[index] if colors else NEUTRAL,
        )
    axes.set_xlim(0, columns * (1 + GAP) - GAP)
    axes.set_ylim(rows * (ratio + caption), 0)
    axes.set_aspect("equal")
    return figure


def tile(pictures: np.ndarray, columns: int, ground: float = 1.0) -> np.ndarray:
    """Join images of one size into one, row by row.

    Args:
        pictures: In [0, 1], or uint8; (N, H, W, 3) or (N, H, W, 1).
        columns: Images in a row.
        ground: Grey level between them, in [0, 1].

    Returns:
        RGB image of the same type, (H, W, 3).
    """
    number, height, width = pictures.shape[:3]
    space = max(1, round(GAP * min(height, width)))
    down, across = height + space, width + space
    size = (-(-number // columns) * down - space, columns * across - space, 3)
    white = 255 if pictures.dtype == np.uint8 else 1
    sheet = np.full(size, ground * white, pictures.dtype)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = row * down, column * across
        sheet[top : top + height, left : left + width] = picture
    if missing := -number % columns:
        sheet[-height:, -missing * across :] = white
    return sheet


def columns_of(number: int, ratio: float) -> int:
    """Images in a row of a nearly square sheet whose last row is nearly full.

    Args:
        number: Number of images.
        ratio: Height of an image with its caption, divided by its width.
    """
    rows = -(-number // max(1, round((number * ratio) ** 0.5)))
    return -(-number // rows)


def enlarged(pictures: np.ndarray, side: int) -> np.ndarray:
    """Repeat the pixels of small images, so that their longer side gets close to `side`."""
    factor = max(1, side // max(pictures.shape[1:3]))
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)


def _show(axes: Axes, picture: np.ndarray, corner: tuple[float, float], width: float) -> None:
    """Draw an image of a width, with its upper left corner at (x, y)."""
    (left, top), height = corner, width * picture.shape[0] / picture.shape[1]
    axes.imshow(
        np.broadcast_to(picture, (*picture.shape[:2], 3)).clip(0, 1),
        extent=(left, left + width, top + height, top),
        interpolation="nearest",
    )


def add_colorbar(axes: Axes, cmap: str, low: float, high: float, label: str) -> None:
    """Add a slim colour bar; the figure grows by its width."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_figwidth(figure.get_figwidth() + BAR_INCHES)
    bar = figure.colorbar(
        ScalarMappable(Normalize(low, high), cmap), ax=axes, fraction=0.03, pad=0.02, aspect=35
    )
    bar.set_label(wrapped(label, 0.75 * figure.get_figheight(), BAR_FONT), fontsize=BAR_FONT)
    bar.ax.tick_params(labelsize=7)
