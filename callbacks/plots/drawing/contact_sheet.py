"""Contact sheets: many small images in one figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_bar import ROOM
from callbacks.plots.drawing.colour_scale import Scale
from callbacks.plots.drawing.page import Box, new_page, show, write
from callbacks.plots.drawing.style import DPI, NEUTRAL
from callbacks.plots.drawing.texts import letters_in, shorten, wrapped

TILE_INCHES = 1.05
CAPTION_INCHES = 0.14  # per line
CAPTION_FONT, TITLE_FONT = 7.5, 10  # points
TITLE_INCHES = 0.17  # per line
MIN_INCHES = 4.2  # least width; the tiles of a sheet of few columns are up to twice as large
GAP = 0.06  # between tiles, in tiles
MARGIN = 14  # pixels around everything


def plot_contact_sheet(
    tiles: np.ndarray,
    captions: Sequence[str],
    columns: int,
    title: str,
    colors: Sequence[str] | None = None,
    tile_inches: float = TILE_INCHES,
    caption_font: float = CAPTION_FONT,
    scale: Scale | None = None,
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
        scale: Scale of a colour bar; None for no bar.
    """
    lines = max((caption.count("\n") + 1 for caption in captions if caption), default=0)
    rows = -(-len(tiles) // columns)
    ratio = tiles.shape[1] / tiles.shape[2]
    inches = tile_inches / min(ratio, 1)
    inches = min(max(inches, MIN_INCHES / columns), 2 * inches)
    width, height = round(inches * DPI), round(inches * ratio * DPI)
    gap = round(GAP * width)
    down = height + gap + round(lines * CAPTION_INCHES * caption_font / CAPTION_FONT * DPI)
    size = (columns * (width + gap) - gap, rows * down - gap * (not lines))
    figure, sheet = titled_page(size, title, scale)
    if not lines:
        show(figure, tile(enlarged(tiles, round(2 / GAP)), columns), sheet)
    room = letters_in(inches, caption_font)
    for index, picture in enumerate(tiles if lines else ()):
        row, column = divmod(index, columns)
        box = Box(sheet.left + column * (width + gap), sheet.top + row * down, width, height)
        show(figure, picture, box)
        caption = "\n".join(shorten(line, room) for line in captions[index].split("\n"))
        look = {"ha": "center", "va": "top", "color": colors[index] if colors else NEUTRAL}
        write(figure, box.middle[0], box.bottom + 3, caption, caption_font, **look)
    return figure


def titled_page(
    size: tuple[int, int],
    title: str,
    scale: Scale | None = None,
    before: tuple[int, int] = (0, 0),
) -> tuple[Figure, Box]:
    """Create a figure with a title and a colour bar, and return it with the place between them.

    Args:
        size: Width and height of the place in pixels.
        title: Title of the figure; long lines are wrapped.
        scale: Scale of the colour bar; None for no bar.
        before: Pixels to leave to the left of the place and above it.
    """
    across = before[0] + size[0] + (ROOM if scale else 0)
    width = max(across, round(MIN_INCHES * DPI)) + 2 * MARGIN
    title = wrapped(title, (width - MARGIN) / DPI, TITLE_FONT)
    top = 2 * MARGIN + round(TITLE_INCHES * DPI) * (title.count("\n") + 1) + before[1]
    figure = new_page(width, top + size[1] + MARGIN)
    figure.suptitle(title, y=1 - MARGIN / figure.bbox.height, va="top", fontsize=TITLE_FONT)
    box = Box((width - across) // 2 + before[0], top, *size)
    if scale:
        scale.add_bar(figure, box)
    return figure, box


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
