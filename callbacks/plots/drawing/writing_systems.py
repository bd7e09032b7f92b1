"""Scripts: the script of a letter by its Unicode name, and the Debian package for it."""

import re
import unicodedata
from collections.abc import Iterable

CJK = {"CJK", "Hangul", "Hiragana", "Katakana", "Bopomofo", "Kangxi", "Fullwidth", "Halfwidth"}
# Hebrew, Arabic and other letters that are written from right to left
LEFTWARD = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+"
NAME = re.compile(rf"…?{LEFTWARD}(?:[ \d…_'\".-]+{LEFTWARD})*…?")  # words of it
LRM, RLI, PDI = "\u200e", "\u2067", "\u2069"  # see `isolated`
SYMBOLS = {"So", "Sk", "Sm"}  # categories of emoji and other signs


def packages_for(letters: Iterable[str]) -> set[str]:
    """Debian packages with fonts for the letters."""
    packages = set()
    for letter in letters:
        if unicodedata.category(letter) in SYMBOLS:
            packages.add("fonts-symbola")  # black and white: matplotlib draws no coloured font
        else:
            packages.add("fonts-noto-cjk" if script_of(letter) in CJK else "fonts-noto-core")
    return packages


def script_of(letter: str) -> str:
    """The first word of its Unicode name, such as CJK or Devanagari; `symbols` for emoji."""
    if unicodedata.category(letter) in SYMBOLS:
        return "symbols"
    name = unicodedata.name(letter, "unknown").split()[0].split("-")[0]
    return name if name == "CJK" else name.capitalize()


def listed(names: Iterable[str]) -> str:
    """Names joined as in a sentence: `a, b and c`."""
    *names, last = sorted(names)
    return f"{', '.join(names)} and {last}" if names else last


def is_drawn(letter: str) -> bool:
    """Whether the letter is visible: joiners, variation selectors and spaces are not."""
    return unicodedata.category(letter)[0] not in "CZ" and not (
        unicodedata.name(letter, "").startswith("VARIATION SELECTOR")
    )


def needs_shaping(letter: str) -> bool:
    """Whether the letter is written from right to left, or joined with its neighbours."""
    return unicodedata.bidirectional(letter) in ("R", "AL") or unicodedata.category(letter) == "Mc"


def isolated(line: str) -> str:
    """Let a line run from left to right, and each name in it that does not from right to left.

    Otherwise `cat → dog` reads as `dog → cat` if the first name is Arabic, and `not cat (8%)` as
    `not (8%) cat` (Unicode's bidirectional algorithm takes signs after such a name as its part).
    """
    shown = NAME.sub(rf"{RLI}\g<0>{PDI}", line)
    return line if shown == line else LRM + shown
