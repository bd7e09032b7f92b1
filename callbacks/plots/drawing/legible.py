"""Names as they are written: in any script, and a dollar sign begins no formula."""

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from callbacks.plots.drawing.fonts import FONTS

NAMES = (FixedFormatter, FuncFormatter)  # of axes whose ticks have names; the others have numbers


def legible(figure: Figure) -> Figure:
    """Give each text of a figure the fonts that its letters need, and read none as mathematics.

    Class names and files may be called anything. To be called before a figure is drawn; numbers
    on axes stay as they are, for those of logarithmic ones are formulas.

    Args:
        figure: Is changed, and returned.
    """
    numbers = _numbers(figure)
    texts = [text for text in figure.findobj(Text) if text not in numbers]
    families = FONTS.families("".join(text.get_text() for text in texts))
    for text in texts:
        text.set_parse_math(False)
        if families and not text.get_text().isascii():
            text.set_fontfamily([*text.get_fontfamily(), *families])
    return figure


def _numbers(figure: Figure) -> set[Text]:
    """The texts that matplotlib makes itself."""
    numbers: set[Text] = set()
    for axis in figure.findobj(Axis):
        assert isinstance(axis, Axis)
        numbers |= {axis.get_offset_text(), *axis.get_minorticklabels()}
        if not isinstance(axis.get_major_formatter(), NAMES):
            numbers |= set(axis.get_majorticklabels())
    return numbers
