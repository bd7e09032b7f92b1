"""Fixtures for tests of figures: a check of their edges, and fonts."""

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import fontManager

from callbacks.plots.drawing import fonts
from callbacks.plots.drawing.fonts import FallbackFonts
from callbacks.plots.drawing.legible import legible


@pytest.fixture
def fits():
    """Function that checks whether everything drawn lies within the edges of a figure."""

    def check(figure):
        FigureCanvasAgg(legible(figure)).figure.draw_without_rendering()
        drawn, size = figure.get_tightbbox(), figure.get_size_inches()
        return min(drawn.x0, drawn.y0) > -0.01 and (drawn.max <= size + 0.01).all()

    return check


@pytest.fixture
def only_matplotlib_fonts(monkeypatch):
    """System with only the fonts of matplotlib."""
    own = [entry for entry in fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(fontManager, "ttflist", own)
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    monkeypatch.setattr("callbacks.plots.drawing.legible.FONTS", FallbackFonts())
    fonts._list_new_fonts.cache_clear()
    yield
    fonts._list_new_fonts.cache_clear()
    fontManager._findfont_cached.cache_clear()  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def install_font(only_matplotlib_fonts, monkeypatch, tmp_path):
    """Function that installs a font with only the given letters, each a black square."""

    def install(name, letters):
        pen, letters = TTGlyphPen(None), sorted(set(letters))
        corners = ((0, 0), (0, 800), (800, 800), (800, 0))
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
        square, empty = pen.glyph(), TTGlyphPen(None).glyph()
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder([".notdef", *(f"u{ord(letter):04X}" for letter in letters)])
        builder.setupCharacterMap({ord(letter): f"u{ord(letter):04X}" for letter in letters})
        glyphs = dict.fromkeys(builder.font.getGlyphOrder(), square) | {".notdef": empty}
        builder.setupGlyf(glyphs)
        builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2(sTypoAscender=800)
        builder.setupPost()
        file = tmp_path / f"{name}.ttf"
        builder.save(file)
        before = fonts.findSystemFonts()
        monkeypatch.setattr(fonts, "findSystemFonts", lambda: [*before, str(file)])

    return install
