"""Rendered figures: the pixels of a figure, drawn with texts that are kept.

Matplotlib loads, hints and places each letter anew, 50 to 70 µs each, though the figures of a run
have nearly the same texts in every epoch.
"""

from functools import lru_cache
from math import ceil, cos, radians, sin
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from callbacks.plots.drawing.fonts import SHAPES
from callbacks.plots.drawing.legible import legible
from callbacks.plots.drawing.writing_systems import isolated

KEPT = 4096  # texts; an average one takes 2 kB
PAD = 4  # pixels around a text, for letters that reach beyond their box


def rendered(figure: Figure) -> np.ndarray:
    """Draw a figure, with fonts for all of its letters.

    Returns:
        RGB image, uint8, (H, W, 3).
    """
    canvas = _Canvas(legible(figure))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


class _Canvas(FigureCanvasAgg):
    """A canvas whose renderer keeps texts."""

    def get_renderer(self) -> RendererAgg:
        """See `FigureCanvasAgg`: one renderer for each size."""
        size = (*self.figure.bbox.size, self.figure.dpi)
        if getattr(self, "_size", None) != size:
            self._size, self.renderer = size, _Renderer(*size)
        return self.renderer


class _Renderer(RendererAgg):
    """A renderer that copies a text which it has drawn before, to the nearest whole pixel."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """See `RendererAgg`."""
        return _size(s if ismath else _ordered(s), prop.copy(), ismath, self.dpi)

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """See `RendererAgg`."""
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        ink, left, top = _drawn(_ordered(s), prop.copy(), angle, self.dpi)
        *color, opacity = gc.get_rgb()
        picture = np.empty((*ink.shape, 4), np.uint8)
        picture[..., :3] = np.round(255 * np.array(color[:3]))
        picture[..., 3] = opacity * ink
        # The rows of an image, and y, go upwards here; the y of a text goes downwards.
        bottom = self.height - (round(y) + top + len(ink))
        self.draw_image(gc, round(x) + left, bottom, picture[::-1])


def _ordered(text: str) -> str:
    return isolated(text) if SHAPES and not text.isascii() else text


class _Ink(NamedTuple):
    """Opacity of a text, uint8 (h, w), and its upper left corner relative to the text's origin."""

    opacity: np.ndarray
    left: int
    top: int


@lru_cache(KEPT)
def _size(text: str, font: FontProperties, ismath: Any, dpi: float) -> tuple[float, float, float]:
    """Width, height and descent in pixels."""
    return RendererAgg(1, 1, dpi).get_text_width_height_descent(text, font, ismath)


@lru_cache(KEPT)
def _drawn(text: str, font: FontProperties, angle: float, dpi: float) -> _Ink:
    width, height, _ = _size(text, font, False, dpi)
    across, up = abs(cos(radians(angle))), abs(sin(radians(angle)))
    x = ceil(across * width + up * height) + PAD  # whatever the angle, it lies in twice that size
    y = ceil(up * width + across * height) + PAD
    renderer = RendererAgg(2 * x, 2 * y, dpi)
    renderer.draw_text(renderer.new_gc(), x, y, text, font, angle)
    opacity = np.asarray(renderer.buffer_rgba())[..., 3]
    rows, columns = (np.flatnonzero(opacity.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return _Ink(np.zeros((1, 1), np.uint8), 0, 0)
    (top, bottom), (left, right) = rows[[0, -1]].tolist(), columns[[0, -1]].tolist()
    return _Ink(opacity[top : bottom + 1, left : right + 1].copy(), left - x, top - y)
