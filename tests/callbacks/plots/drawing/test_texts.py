import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from callbacks.plots.drawing.legible import legible
from callbacks.plots.drawing.texts import counted, inches_of, letters_in, shorten, wrapped


@pytest.mark.parametrize("text", ["class number 17", "WWWW", "illicit", "two\nlines of it"])
def test_width_equals_that_of_the_drawn_text(text):
    figure = Figure(dpi=100)
    FigureCanvasAgg(figure)
    drawn = figure.text(0, 0, text, fontsize=20).get_window_extent().width / 100
    assert inches_of(text, 20) == pytest.approx(drawn, rel=0.04)


def test_width_of_letters_of_a_fallback_font_is_approximate(install_font):
    install_font("Squares", "阿布拉罕辛普森")
    figure = Figure(dpi=100)
    text = figure.text(0, 0, "阿布拉罕辛普森", fontsize=20)
    FigureCanvasAgg(legible(figure))
    assert inches_of("阿布拉罕辛普森", 20) == pytest.approx(
        text.get_window_extent().width / 100, rel=0.1
    )


def test_middle_of_a_text_is_removed_until_it_fits():
    assert shorten("class", 6) == "class"
    shown = shorten("class number 17 of the list", 14)
    assert shown.startswith("class")
    assert shown.endswith("list")
    assert shown.count("…") == 1
    assert inches_of(shown, 72) <= 14 * 0.6


@pytest.mark.parametrize("note", [" 100%", " (8%)", " 13 %", " 1.5 %"])
def test_the_name_is_shortened_and_not_the_percentage_after_it(note):
    shown = shorten(f"african elephant{note}", 14)
    assert shown in {f"africa…{end}{note}" for end in ("nt", "ant")}


def test_a_note_is_never_cut():
    assert shorten("african elephant (no evidence)", 10) == "… (no evidence)"
    assert shorten("13 %", 2) == "13 %"


def test_fewer_wide_letters_fit():
    assert len(shorten("阿" * 30, 20)) == 12
    assert len(shorten("i" * 60, 20)) > 30


def test_inches_and_letters_convert_back():
    room = letters_in(2.0, 8)
    assert 1.9 < inches_of(shorten("W" * 99, room), 8) <= 2.0


def test_one_is_singular():
    assert [counted(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]


def test_wide_lines_are_broken_between_words():
    text = wrapped("one two three four\nfive", inches_of("one two", 10), 10)
    assert text == "one two\nthree\nfour\nfive"
