"""Legible text: fonts for any script, and no formulas between dollar signs."""

from collections.abc import Iterator

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from callbacks.plots.drawing.fonts import FONTS

NAMES = (
    FixedFormatter,
    FuncFormatter,
)  # formatters of axes with names at their ticks; others have numbers


def legible(figure: Figure) -> Figure:
    """Give each text of a figure fonts for its letters, and turn off mathematical formulas.

    The names of classes and files may contain any letters. Call this before a figure is drawn.
    Numbers at ticks are not changed, since those of logarithmic axes are formulas.

    Args:
        figure: The figure, which is changed and returned.
    """
    shown = list(_shown(figure))
    numbers = {text for axis in shown if isinstance(axis, Axis) for text in _numbers(axis)}
    texts = [text for text in shown if isinstance(text, Text) and text not in numbers]
    families = FONTS.families("".join(text.get_text() for text in texts))
    for text in texts:
        text.set_parse_math(False)
        if families and not text.get_text().isascii():
            text.set_fontfamily([*text.get_fontfamily(), *families])
    return figure


def _shown(artist: Artist) -> Iterator[Artist]:
    """An artist and all of its parts, without the ticks of hidden axes: asking makes them."""
    yield artist
    for child in artist.get_children():
        if not (isinstance(child, Axis) and child.axes and not child.axes.axison):
            yield from _shown(child)


def _numbers(axis: Axis) -> set[Text]:
    """The texts that matplotlib writes at ticks."""
    numbers: set[Text] = {axis.get_offset_text(), *axis.get_minorticklabels()}
    if not isinstance(axis.get_major_formatter(), NAMES):
        numbers |= set(axis.get_majorticklabels())
    return numbers
