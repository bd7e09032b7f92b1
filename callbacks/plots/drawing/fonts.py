"""Fallback fonts: fonts of the system for letters that the default font does not have."""

import warnings
from collections.abc import Set
from functools import cache
from typing import NamedTuple

import matplotlib
from matplotlib import ft2font
from matplotlib.font_manager import (
    FontEntry,
    FontProperties,
    findfont,
    findSystemFonts,
    fontManager,
)

from callbacks.plots.drawing.writing_systems import (
    is_drawn,
    listed,
    needs_shaping,
    packages_for,
    script_of,
)

LAST_LATIN = "\u024f"  # every font has the letters up to here, so they are not looked up
NO_LETTERS = "Last Resort"  # a font of placeholder boxes
SHAPES = hasattr(ft2font, "__libraqm_version__")  # matplotlib >= 3.11 shapes text
LANGUAGES = {"Hangul": "KR", "Hiragana": "JP", "Katakana": "JP"}  # else Chinese: SC


class FallbackFonts:
    """The fonts found so far; the system is searched only for new letters."""

    def __init__(self) -> None:
        self.chosen: dict[str, Set[str]] = {}  # letters for which each family was chosen
        self.missing: set[str] = set()  # letters that no font has
        self.warned = False  # of letters that are drawn unjoined

    def families(self, text: str) -> list[str]:
        """Font families for the letters of a text that the default font does not have.

        If no font has a letter, it warns once and names the package to install.
        """
        letters = {letter for letter in text if letter > LAST_LATIN and is_drawn(letter)}
        if not letters:
            return []
        self._warn_of_shapes(letters)
        letters -= _own_letters(findfont(FontProperties()))
        if new := letters - self.missing.union(*self.chosen.values()):
            found = _cover(new)
            for family, covered in found.items():
                self.chosen[family] = self.chosen.get(family, set()) | covered
            if lacking := new.difference(*found.values()):
                self.missing |= lacking
                _warn_of_missing(lacking)
        return [family for family, covered in self.chosen.items() if covered & letters]

    def _warn_of_shapes(self, letters: set[str]) -> None:
        if SHAPES or self.warned:
            return
        if scripts := {script_of(letter) for letter in letters if needs_shaping(letter)}:
            self.warned = True
            warnings.warn(
                f"matplotlib {matplotlib.__version__} draws {listed(scripts)} letters unjoined "
                "and from left to right; matplotlib 3.11 draws them correctly.",
                stacklevel=2,
            )


FONTS = FallbackFonts()


class _Candidate(NamedTuple):
    rank: tuple[int, ...]
    family: str
    covered: set[str]


def _cover(letters: set[str]) -> dict[str, set[str]]:
    """As few families as possible for the letters, and the letters covered by each."""
    _list_new_fonts()
    scripts = {script_of(letter) for letter in letters}
    language = next((LANGUAGES[script] for script in sorted(scripts & LANGUAGES.keys())), "SC")
    entries = [entry for entry in fontManager.ttflist if NO_LETTERS not in entry.name]
    covered = {file: letters & _letters(file) for file in {entry.fname for entry in entries}}
    candidates = [
        _Candidate(_rank(entry, language), entry.name, covered[entry.fname])
        for entry in entries
        if covered[entry.fname]
    ]
    found: dict[str, set[str]] = {}
    while candidates and letters:
        best = min(candidates, key=lambda c: (-len(c.covered & letters), *c.rank))
        if not best.covered & letters:
            break
        found[best.family] = best.covered & letters
        letters = letters - best.covered
    return found


def _rank(entry: FontEntry, language: str) -> tuple[int, ...]:
    return (
        entry.style != "normal",
        "Sans" not in entry.name,
        not entry.name.endswith(language),
        abs((entry.weight if isinstance(entry.weight, int) else 400) - 400),
        "Mono" in entry.name,
    )


@cache
def _list_new_fonts() -> None:
    """Add fonts that were installed after matplotlib cached its list of fonts."""
    known = {entry.fname for entry in fontManager.ttflist}
    for file in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(file)
        except (OSError, RuntimeError):  # of an unsupported format
            continue


@cache
def _own_letters(file: str) -> set[str]:
    return _letters(file)


def _letters(file: str) -> set[str]:
    """The letters that a font can draw; none for fonts of coloured emoji."""
    try:
        font = ft2font.FT2Font(file)
    except (OSError, RuntimeError):
        return set()
    return set(map(chr, font.get_charmap())) if font.scalable else set()


def _warn_of_missing(letters: set[str]) -> None:
    scripts = {script_of(letter) for letter in letters}
    shown = "".join(sorted(letters)[:10]) + "…" * (len(letters) > 10)
    warnings.warn(
        f"No font of this system has {shown} ({listed(scripts)}): figures show boxes instead. On "
        f"Debian and Ubuntu install {listed(packages_for(letters))}; elsewhere use a font from "
        "https://fonts.google.com/noto.",
        stacklevel=2,
    )
    # Otherwise matplotlib warns of each letter each time it is drawn.
    warnings.filterwarnings("ignore", r"Glyph .* missing from font")
