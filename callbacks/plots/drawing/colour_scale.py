"""Colour scales: one for signed values, one for magnitudes."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Box

SIGNED, SIGNED_COLORS, MAGNITUDE = "RdBu_r", "gray", "viridis"  # zero: white, grey, dark violet


@dataclass(frozen=True)
class Scale:
    """A colour map and its range.

    Attributes:
        cmap: Name of the colour map.
        low: Value of the first colour.
        high: Value of the last colour.
        label: Label of the colour bar, with the unit.
    """

    cmap: str
    low: float
    high: float
    label: str

    def paint(self, values: np.ndarray) -> np.ndarray:
        """RGB colour of each value, uint8."""
        norm = Normalize(self.low, self.high, clip=True)
        return matplotlib.colormaps[self.cmap](norm(values), bytes=True)[..., :3]

    def add_bar(self, figure: Figure, box: Box) -> None:
        """Draw a colour bar to the right of a box."""
        ColourBar(figure, box, self.cmap, Normalize(self.low, self.high), self.label)


def signed_scale(values: np.ndarray, label: str, cmap: str = SIGNED) -> Scale:
    """Scale that is symmetric about zero and reaches the largest magnitude of the values."""
    limit = float(np.abs(values).max(initial=0)) or 1.0
    return Scale(cmap, -limit, limit, label)


def magnitude_scale(values: np.ndarray, label: str) -> Scale:
    """Scale from zero to the largest value; the values are not negative."""
    return Scale(MAGNITUDE, 0, float(values.max(initial=0)) or 1.0, label)
