"""Titles and legends of any length: the figure grows with their lines."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from callbacks.plots.drawing.texts import inches_of, letters_in, shorten, wrapped

TITLE_FONT, LEGEND_FONT = 11, 9  # points
LINE = 1.6 * LEGEND_FONT / 72  # inches: height of a row of the legend
SIGN = 5 * LEGEND_FONT / 72  # inches: width of a legend handle with the gaps beside it


def add_title(figure: Figure, title: str) -> None:
    """Add a title in as many lines as it needs; the figure grows by them."""
    width = figure.get_figwidth() - 0.2
    room, lines = letters_in(width, TITLE_FONT), wrapped(title, width, TITLE_FONT).split("\n")
    figure.set_figheight(figure.get_figheight() + 0.2 * (len(lines) - 1))
    figure.suptitle("\n".join(shorten(line, room) for line in lines), fontsize=TITLE_FONT)


def add_legend(figure: Figure, signs: Sequence[Artist], most: int) -> None:
    """Add a legend below, with at most `most` columns; the figure grows by its rows."""
    labels = [str(sign.get_label()) for sign in signs]
    widest = SIGN + max(inches_of(label, LEGEND_FONT) for label in labels)
    columns = min(most, max(1, int(figure.get_figwidth() / widest)))
    rows = -(-len(labels) // columns)
    figure.set_figheight(figure.get_figheight() + LINE * rows)
    look = {"frameon": False, "fontsize": LEGEND_FONT, "ncols": -(-len(labels) // rows)}
    figure.legend(signs, labels, loc="outside lower center", **look)
