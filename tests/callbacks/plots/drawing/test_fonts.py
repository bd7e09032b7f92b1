import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from callbacks.plots.drawing import fonts
from callbacks.plots.drawing.fonts import FallbackFonts
from callbacks.plots.drawing.legible import legible

CAT, DOG = "猫", "犬"


def test_latin_needs_no_search(monkeypatch):
    monkeypatch.setattr(fonts, "findfont", None)  # would fail if it were called
    assert FallbackFonts().families("Zoë's Łódź ångström") == []


def test_letters_of_the_default_font_need_no_fallback(only_matplotlib_fonts):
    assert FallbackFonts().families("кошка γάτα … ≈ קט") == []


def test_newly_installed_font_is_found(install_font):
    install_font("Tiny Sans", CAT)
    assert FallbackFonts().families(f"{CAT} cat") == ["Tiny Sans"]


def test_one_font_with_all_letters_is_preferred_to_two(install_font):
    install_font("A Sans", CAT)
    install_font("B Sans", DOG)
    install_font("C", CAT + DOG)
    assert FallbackFonts().families(CAT + DOG) == ["C"]


def test_several_fonts_are_used_if_none_has_all_letters(install_font):
    install_font("A", CAT)
    install_font("B", DOG)
    assert sorted(FallbackFonts().families(CAT + DOG)) == ["A", "B"]


def test_sans_fonts_of_the_language_are_preferred(install_font):
    for name in ("Tiny Serif CJK SC", "Tiny Sans CJK KR", "Tiny Sans CJK JP", "Tiny Sans CJK SC"):
        install_font(name, f"{CAT}ね고")
    assert FallbackFonts().families(CAT) == ["Tiny Sans CJK SC"]
    assert FallbackFonts().families(f"{CAT}ね") == ["Tiny Sans CJK JP"]
    assert FallbackFonts().families("고") == ["Tiny Sans CJK KR"]


def test_missing_letters_cause_one_warning_that_names_the_package(only_matplotlib_fonts):
    found = FallbackFonts()
    message = r"No font .* has ऩ猫🐶 \(CJK, Devanagari and symbols\).* install fonts-noto-cjk, "
    with pytest.warns(UserWarning, match=message + "fonts-noto-core and fonts-symbola; elsewhere"):
        assert found.families("猫ऩ🐶\ufe0f\u200d") == []
    with warnings.catch_warnings(action="error"):
        assert found.families("猫") == []


def test_old_matplotlib_warns_of_unjoined_arabic(only_matplotlib_fonts, monkeypatch):
    monkeypatch.setattr(fonts, "SHAPES", False)
    with pytest.warns(UserWarning, match=r"draws Arabic letters unjoined .* matplotlib 3\.11"):
        FallbackFonts().families("قطة")


def test_letters_of_a_fallback_font_are_drawn(install_font):
    install_font("Tiny Sans", CAT)
    figure = Figure(figsize=(2, 1), dpi=100)
    figure.text(0.5, 0.5, CAT, fontsize=36, va="center")
    canvas = FigureCanvasAgg(legible(figure))
    canvas.draw()
    black = (np.asarray(canvas.buffer_rgba())[..., 0] < 30).sum()
    assert black == pytest.approx((0.8 * 36 / 72 * 100) ** 2, rel=0.08)


def test_dollar_signs_in_names_are_not_formulas():
    figure = Figure()
    axes = figure.subplots()
    axes.set_title("$5 and $6")
    axes.set_yticks([0, 1], ["$a_1$", "x_$"])
    axes.plot([0, 1], label="$a$")
    legend = axes.legend()
    legible(figure)
    texts = [axes.title, *axes.get_yticklabels(), *legend.get_texts()]
    assert [text.get_parse_math() for text in texts] == [False] * 4


def test_numbers_of_logarithmic_axes_remain_formulas():
    figure = Figure()
    axes = figure.subplots()
    axes.semilogx([1e-5, 1], [0, 1])
    legible(figure)
    assert all(text.get_parse_math() for text in axes.get_xticklabels())
    assert r"10^{-5}" in "".join(text.get_text() for text in axes.get_xticklabels())
