"""Texts in figures: width, shortening, wrapping, and numbers with their nouns."""

import re
from functools import cache
from unicodedata import east_asian_width

from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font, LoadFlags

LETTER = 0.6  # em: width of an average letter, the unit of lengths
WIDE, OTHER = 1.0, 0.7  # em: width of letters that are not in the default font
# What follows a name in a caption: ` 13%`, ` (8%)`, ` 13 %`, ` (no evidence)`
AFTER_NAME = re.compile(r"((?:^|\s)\(?\d[\d.,]* ?%\)?|\s\(no evidence\))+$")


def inches_of(text: str, points: float) -> float:
    """Width of the longest line of a text in inches, for a font size in points."""
    return max(_ems(line) for line in text.split("\n")) * points / 72


def letters_in(inches: float, points: float) -> int:
    """Number of average letters that fit into a width, for a font size in points."""
    return int(inches * 72 / points / LETTER)


def shorten(text: str, length: int) -> str:
    """Replace the middle of a long text by an ellipsis.

    The end is kept, since it distinguishes `class number 17` from `class number 62`. A percentage
    after a name is kept as a whole, even if it alone is wider: a part of it is another number.

    Args:
        text: One line.
        length: Most average letters; of wide ones, such as Chinese, about half as many fit.
    """
    note = found[0] if (found := AFTER_NAME.search(text)) else ""
    name = text.removesuffix(note)
    shown, kept, room = name, len(name), length * LETTER - _ems(note)
    while kept and _ems(shown) > room:
        kept -= 1
        end = kept // 3
        shown = f"{name[: kept - end]}…{name[len(name) - end :]}"
    return shown + note


def wrapped(text: str, inches: float, points: float) -> str:
    """Break lines between words where they exceed a width in inches."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines.append("")
        for word in line.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if lines[-1] and inches_of(longer, points) > inches:
                lines.append(word)
            else:
                lines[-1] = longer
    return "\n".join(lines)


def counted(number: int, what: str) -> str:
    """`1 image`, `1,200 images`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def _ems(line: str) -> float:
    return sum(map(_em, line))


@cache
def _em(letter: str) -> float:
    font = _font()
    if index := font.get_char_index(ord(letter)):
        return font.load_glyph(index, LoadFlags.NO_SCALE).horiAdvance / font.units_per_EM
    return WIDE if east_asian_width(letter) in "FW" else OTHER


@cache
def _font() -> FT2Font:
    return FT2Font(findfont(FontProperties()))
