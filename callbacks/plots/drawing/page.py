"""Page: a figure without axes, on which everything has its place in pixels.

Axes take 10 ms even if they are hidden, and 30 ms with ticks; a layout engine measures each text
several times.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox, TransformedBbox

from callbacks.plots.drawing.style import DPI


class Box(NamedTuple):
    """A place on a page in pixels; `left` and `top` are counted from the upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.left + self.width / 2, self.top + self.height / 2


class Picture(Artist):
    """An image that fills a box.

    If it has to be smaller, pixels are averaged, and if larger, repeated.

    Args:
        pixels: In [0, 1], or uint8; (H, W, 3) or (H, W, 1).
        box: Place in the figure, in the units of the canvas.
    """

    def __init__(self, pixels: np.ndarray, box: Bbox) -> None:
        super().__init__()
        self.pixels, self.box = pixels, box

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """See `Artist`."""
        return self.box

    def draw(self, renderer: RendererBase) -> None:
        """See `Artist`."""
        scale = renderer.get_image_magnification()  # vector graphics have another resolution
        (left, bottom), (right, top) = np.round(self.box.get_points())
        size = round(scale * (right - left)), round(scale * (top - bottom))
        if min(size) > 0:
            pixels = resized(self.pixels, *size)
            colors = np.full((*pixels.shape[:2], 4), 255, np.uint8)
            colors[..., :3] = pixels if pixels.dtype == np.uint8 else as_bytes(pixels)
            gc = renderer.new_gc()
            renderer.draw_image(gc, left, bottom, colors[::-1])
            gc.restore()


def new_page(width: float, height: float, dpi: float = DPI) -> Figure:
    """Create a figure of a size in pixels."""
    return Figure(figsize=(width / dpi, height / dpi), dpi=dpi)


def show(figure: Figure, pixels: np.ndarray, box: Box) -> Picture:
    """Fill a box with an image; see `Picture`."""
    picture = picture_at(figure, box, pixels)
    figure.add_artist(picture)
    return picture


def picture_at(figure: Figure, box: Box, pixels: np.ndarray) -> Picture:
    """Make an image, without adding it to the figure."""
    place: Any = TransformedBbox(_inches(figure, box), figure.dpi_scale_trans)
    return Picture(pixels, place)


def text_at(figure: Figure, x: float, y: float, text: str, font: float, **look: object) -> Text:
    """Make a text of a font size in points, without adding it to the figure."""
    place = _inches(figure, Box(x, y, 0, 0)).min
    made = Text(*place, text, fontsize=font, transform=figure.dpi_scale_trans, **look)  # pyright: ignore[reportArgumentType]
    made.set_figure(figure)
    return made


def write(figure: Figure, x: float, y: float, text: str, font: float, **look: object) -> Text:
    """Add a text of a font size in points; `look` is that of `Text`."""
    made = text_at(figure, x, y, text, font, **look)
    figure.texts.append(made)
    return made


def rectangle(figure: Figure, box: Box, **look: object) -> Rectangle:
    """Make a rectangle, without adding it to the figure; `look` is that of `Rectangle`."""
    place = _inches(figure, box)
    made = Rectangle(place.min, place.width, place.height, **look)  # pyright: ignore[reportArgumentType]
    made.set_transform(figure.dpi_scale_trans)
    made.set_figure(figure)
    return made


def add_axes(figure: Figure, box: Box) -> Axes:
    """Add axes, for what has ticks."""
    width, height = figure.bbox.size
    place = (box.left / width, 1 - box.bottom / height, box.width / width, box.height / height)
    return figure.add_axes(place)


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bring an image, (H, W, C), to a size: by the mean of pixels, or by repeating them."""
    if picture.shape[:2] == (height, width):
        return picture
    smaller = width <= picture.shape[1] and height <= picture.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_NEAREST_EXACT
    return cv2.resize(picture, (width, height), interpolation=how).reshape(height, width, -1)


def shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    """Bring the longer side of an image, (H, W, C), to at most so many pixels."""
    scale = min(1.0, side / max(picture.shape[:2]))
    height, width = (max(1, round(scale * pixels)) for pixels in picture.shape[:2])
    return resized(picture, width, height)


def as_bytes(pixels: np.ndarray) -> np.ndarray:
    """Colours in [0, 1] as uint8."""
    return (255 * pixels.clip(0, 1) + 0.5).astype(np.uint8)


def _inches(figure: Figure, box: Box) -> Bbox:
    """The box in inches from the lower left corner, so that figures can grow at the top."""
    up = figure.bbox.height - box.bottom
    return Bbox.from_bounds(*(pixels / figure.dpi for pixels in (box.left, up, *box[2:])))
