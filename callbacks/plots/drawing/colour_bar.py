"""Colour bar: the colours of a scale with the values that they stand for."""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from matplotlib.transforms import Bbox

from callbacks.plots.drawing.page import Box, picture_at, rectangle, text_at
from callbacks.plots.drawing.texts import inches_of, wrapped

WIDTH, GAP, ROOM = 13, 10, 112  # pixels: of the bar, before it, and of all with the texts
TICK, FONT, LABEL_FONT = 5, 7.5, 8.5  # pixels, and points
NUM_TICKS = 6
POWERS = (-3, 5)  # numbers with more digits have a power of ten above the bar, as there is no room


class ColourBar(Artist):
    """A vertical colour bar with ticks at round numbers and a label.

    Args:
        figure: The page to draw on.
        box: What it stands to the right of; it has the same height.
        cmap: Name of the colour map.
        norm: Range of the values, and how they are spread over the colours.
        label: Label, with the unit.
        whole: Whether the values are whole numbers.

    Attributes:
        norm: As given.
        label: As given.
        ticks: Values at the ticks.
    """

    def __init__(
        self, figure: Figure, box: Box, cmap: str, norm: Normalize, label: str, whole: bool = False
    ) -> None:
        super().__init__()
        self.norm, self.label = norm, label
        bar = Box(box.right + GAP, box.top, WIDTH, box.height)
        low, high = float(norm.vmin or 0), float(norm.vmax or 0)
        ticks = MaxNLocator(NUM_TICKS, steps=[1, 2, 5, 10], integer=whole).tick_values(low, high)
        slack = 1e-9 * (high - low)
        self.ticks = [float(t) for t in ticks if low - slack <= t <= high + slack]
        colors = matplotlib.colormaps[cmap](np.linspace(1, 0, max(2, round(bar.height))))
        self._colors = picture_at(figure, bar, colors[:, None, :3])
        self._parts: list[Any] = [rectangle(figure, bar, fill=False, linewidth=0.5)]
        self._add_ticks(figure, bar)
        figure.add_artist(self)

    def get_children(self) -> list[Artist]:
        """See `Artist`."""
        return self._parts

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """See `Artist`."""
        return Bbox.union([part.get_window_extent(renderer) for part in self._parts])

    def draw(self, renderer: RendererBase) -> None:
        """See `Artist`."""
        for part in (self._colors, *self._parts):
            part.draw(renderer)

    def _add_ticks(self, figure: Figure, bar: Box) -> None:
        numbers, power = _numbers(self.ticks, self.norm)
        heights = [bar.bottom - bar.height * float(self.norm(value)) for value in self.ticks]
        lines = [Box(bar.right, height, TICK, 0) for height in heights]
        self._parts += [rectangle(figure, line, linewidth=0.7) for line in lines]
        left = bar.right + TICK + 3
        for number, height in zip(numbers, heights, strict=True):
            self._parts.append(text_at(figure, left, height, number, FONT, va="center_baseline"))
        if power:
            self._parts.append(text_at(figure, bar.left, bar.top - 4, power, FONT, va="bottom"))
        left += max((inches_of(n, FONT) for n in numbers), default=0) * figure.dpi + 6
        label = wrapped(self.label, bar.height / figure.dpi, LABEL_FONT)
        look = {"rotation": 90, "va": "center", "ha": "left", "multialignment": "center"}
        self._parts.append(text_at(figure, left, bar.middle[1], label, LABEL_FONT, **look))


def _numbers(ticks: list[float], norm: Normalize) -> tuple[list[str], str]:
    """The numbers at ticks, and the power of ten that they are multiplied by."""
    form = ScalarFormatter()
    form.set_powerlimits(POWERS)
    form.create_dummy_axis()
    form.axis.set_view_interval(norm.vmin or 0, norm.vmax or 0)  # pyright: ignore[reportOptionalMemberAccess]
    return form.format_ticks(ticks), form.get_offset()
