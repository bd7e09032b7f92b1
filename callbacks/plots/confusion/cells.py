"""Cells of a confusion matrix, with the names of the classes and with numbers."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.transforms import Bbox

from callbacks.plots.drawing.page import Box, show, write
from callbacks.plots.drawing.texts import inches_of, shorten

NAME_LENGTH = 22
PAD = 6  # pixels between cells, names and labels
LABEL_FONT = 10
PALE, DARK, LIGHT = 0.408, "#262626", "white"  # luminance, and numbers on paler and darker cells


class Colors(NamedTuple):
    """Name of a colour map, and its scale."""

    cmap: str
    norm: Normalize

    def paint(self, values: np.ndarray) -> np.ndarray:
        """RGB colour of each value, uint8."""
        return matplotlib.colormaps[self.cmap](self.norm(values), bytes=True)[..., :3]


class Fonts(NamedTuple):
    """Font sizes in points: of names, of numbers, and of the words `true` and `predicted`."""

    names: float
    numbers: float
    labels: float = LABEL_FONT


class Numbers(Artist):
    """Numbers in the cells of a table: one artist, as a text for each takes five times as long.

    Args:
        box: Place of the table in the figure, in the units of the canvas.
        texts: Text of each cell, (rows, columns); empty for none.
        colors: Colour of each text, (rows, columns).
        font: Size in points.
    """

    def __init__(self, box: Bbox, texts: np.ndarray, colors: np.ndarray, font: float) -> None:
        super().__init__()
        self.box, self.texts, self.colors = box, texts, colors
        self.font = FontProperties(size=font)

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """See `Artist`."""
        return self.box

    def draw(self, renderer: RendererBase) -> None:
        """See `Artist`."""
        gc, (rows, columns) = renderer.new_gc(), self.texts.shape
        _, height, _ = renderer.get_text_width_height_descent("0", self.font, False)
        for row, column in np.argwhere(self.texts != ""):
            text = str(self.texts[row, column])
            width, *_ = renderer.get_text_width_height_descent(text, self.font, False)
            x = self.box.x0 + (column + 0.5) / columns * self.box.width - width / 2
            y = self.box.y1 - (row + 0.5) / rows * self.box.height - height / 2
            if renderer.flipy():
                y = renderer.get_canvas_width_height()[1] - y
            gc.set_foreground(str(self.colors[row, column]))
            renderer.draw_text(gc, x, y, text, self.font, 0)
        gc.restore()


def draw_cells(
    figure: Figure,
    box: Box,
    values: np.ndarray,
    class_names: Sequence[str],
    colors: Colors,
    fonts: Fonts,
    numbers: np.ndarray | None = None,
) -> None:
    """Draw a matrix with the names of the classes to the left and below, and with numbers.

    Args:
        figure: The page to draw on.
        box: Place of the cells; see `margins`.
        values: Values that are shown as colours, (K, K).
        class_names: Names of the K classes; empty to draw none.
        colors: Colours of the values.
        fonts: Sizes of the texts; long names below the matrix are turned.
        numbers: Text of each cell, (K, K); None for none.
    """
    painted = colors.paint(values)
    picture = show(figure, _enlarged(painted, round(box.width), numbers is not None), box)
    if numbers is not None:
        luminance = sns.utils.relative_luminance(painted.reshape(-1, 3) / 255)
        inks = np.where(np.reshape(luminance, values.shape) > PALE, DARK, LIGHT)
        figure.add_artist(Numbers(picture.box, numbers, inks, fonts.numbers))
    names = shown_names(class_names)
    left, below = margins(class_names, box.width, fonts, figure.dpi)
    beside = {"ha": "right", "va": "center_baseline"}
    angle = 90 if _turned(names, box.width, fonts, figure.dpi) else 0
    beneath = {"ha": "center", "va": "top", "rotation": angle}
    for index, name in enumerate(names):
        place = (index + 0.5) / len(names) * box.width
        write(figure, box.left - PAD, box.top + place, name, fonts.names, **beside)
        write(figure, box.left + place, box.bottom + PAD, name, fonts.names, **beneath)
    middle = {"ha": "center", "va": "center"}
    x, y = box.middle
    half = _line(fonts.labels, figure.dpi) / 2
    write(figure, box.left - left + half, y, "true", fonts.labels, rotation=90, **middle)
    write(figure, x, box.bottom + below - half, "predicted", fonts.labels, **middle)


def margins(class_names: Sequence[str], side: float, fonts: Fonts, dpi: float) -> tuple[int, int]:
    """Pixels that names and labels take to the left of a matrix and below it.

    Args:
        class_names: Names of the classes; empty if none are drawn.
        side: Width of the matrix in pixels.
        fonts: Sizes of the texts.
        dpi: Pixels per inch.
    """
    names, label = shown_names(class_names), _line(fonts.labels, dpi) + PAD
    if not names:
        return round(label), round(label)
    longest = _longest(names, fonts, dpi) + PAD
    low = longest if _turned(names, side, fonts, dpi) else _line(fonts.names, dpi) + PAD
    return round(longest + label), round(low + label)


def shown_names(class_names: Sequence[str]) -> list[str]:
    """The names as they are drawn."""
    return [shorten(name, NAME_LENGTH) for name in class_names]


def annotations(values: np.ndarray, decimals: int) -> np.ndarray:
    """Numbers for the cells; none in those that round to zero, so that the mistakes stand out."""
    form = f"{'+' if values.min() < 0 else ''}.{decimals}f"
    least = 0.5 / 10**decimals
    numbers = [format(value, form) if abs(value) >= least else "" for value in values.flat]
    return np.array(numbers).reshape(values.shape)


def font_size(num_classes: int, inches: float) -> float:
    """Size of the letters in points that fits the cells of a matrix."""
    return float(np.clip(0.62 * 72 * inches / num_classes, 4, 9))


def _turned(names: Sequence[str], side: float, fonts: Fonts, dpi: float) -> bool:
    return bool(names) and _longest(names, fonts, dpi) > side / len(names) - PAD


def _longest(names: Sequence[str], fonts: Fonts, dpi: float) -> float:
    return max(inches_of(name, fonts.names) for name in names) * dpi


def _line(font: float, dpi: float) -> float:
    return 1.3 * font * dpi / 72


def _enlarged(colors: np.ndarray, side: int, gaps: bool) -> np.ndarray:
    """Colours of cells, (K, K, 3), as an image; gaps between cells are white."""
    cell = np.arange(side) * len(colors) // side
    image = colors[cell][:, cell]
    if gaps:
        starts = np.flatnonzero(np.diff(cell)) + 1
        image[starts] = 255
        image[:, starts] = 255
    return image
