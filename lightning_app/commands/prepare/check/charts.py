"""Where things stand in a drawing; the template draws it."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 300  # of the plot area, in the drawing's units
CELLS = 48  # sizes closer than a 48th of the largest are drawn as one
MAX_RADIUS, MIN_RADIUS = 16.0, 3.0


@dataclass(frozen=True)
class Bubble:
    """Images of one size, or of nearly one."""

    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A scatter plot of image sizes: widths to the right, heights upwards.

    Attributes:
        bubbles: The largest first, so that small ones stay in sight.
        x_ticks: Place and text of the ticks of the widths.
        y_ticks: The same of the heights.
    """

    bubbles: list[Bubble]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def bubbles(sizes: Mapping[tuple[int, int], int]) -> Chart:
    """A chart in which the area of a bubble tells how many images have a size.

    Args:
        sizes: Number of images of each width and height, in pixels.
    """
    if not sizes:
        return Chart([], [], [])
    x_step = _step(max(width for width, _ in sizes))
    y_step = _step(max(height for _, height in sizes))
    x_end, y_end = 5 * x_step, 5 * y_step
    cells: dict[tuple[int, int], Counter[tuple[int, int]]] = {}
    for size, count in sizes.items():
        cell = (size[0] * CELLS // x_end, size[1] * CELLS // y_end)
        cells.setdefault(cell, Counter())[size] += count
    most = max(cell.total() for cell in cells.values())
    return Chart(
        [
            _bubble(cell, WIDTH / x_end, HEIGHT / y_end, most)
            for cell in sorted(cells.values(), key=Counter.total, reverse=True)
        ],
        [(k * WIDTH / 5, f"{k * x_step:,}") for k in range(6)],
        [(HEIGHT - k * HEIGHT / 5, f"{k * y_step:,}") for k in range(6)],
    )


def _bubble(cell: Counter[tuple[int, int]], x_scale: float, y_scale: float, most: int) -> Bubble:
    (width, height), _ = cell.most_common(1)[0]
    number = cell.total()
    radius = max(MAX_RADIUS * math.sqrt(number / most), MIN_RADIUS)
    others = " and sizes near it" if len(cell) > 1 else ""
    text = f"{width} x {height}{others}: {number:,} image{'s' * (number > 1)}"
    return Bubble(width * x_scale, HEIGHT - height * y_scale, radius, text)


def _step(largest: int) -> int:
    """Distance of ticks, a round number, of which five reach beyond the largest value."""
    power = 10 ** int(math.log10(max(largest, 10)) - 1)
    return next(
        step * power for step in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20) if 5 * step * power > largest
    )
