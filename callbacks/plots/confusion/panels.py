"""Panels beside the cells of a confusion matrix: an overview of all classes, and a list."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.confusion.cells import (
    LABEL_FONT,
    NAME_LENGTH,
    PAD,
    Colors,
)
from callbacks.plots.confusion.order import most_confused
from callbacks.plots.drawing.page import Box, rectangle, show, write
from callbacks.plots.drawing.style import BAD, NEUTRAL
from callbacks.plots.drawing.texts import inches_of, shorten

GROUP_NAME_LENGTH, GROUP_FONT = 14, 7
MIN_LABEL_DISTANCE = 0.045  # between the names of two groups, relative to the height of the matrix
MAX_CELLS = 500  # per side: of more, some would fall between the pixels of the figure
ROW, FONT, TITLE_FONT = 26, 8, 9  # of the list: pixels of a row, and points
BAR, LONGEST = 18, 170  # pixels: height of a bar, and length of the longest


class Listed(NamedTuple):
    """A line of the list: a confusion, the length of its bar in images, a note and a colour."""

    true: int
    predicted: int
    images: int
    note: str
    color: str


def draw_overview(
    figure: Figure, box: Box, cells: np.ndarray, colors: Colors, groups: Sequence[range], size: int
) -> None:
    """Draw all classes as an image, with an outline around each group of confused classes.

    Args:
        figure: The page to draw on.
        box: Place of the image.
        cells: Values that are shown as colours; see `reduced`.
        colors: Colours of the values.
        groups: Positions of the classes of each group.
        size: Number of classes.
    """
    show(figure, colors.paint(cells), box)
    scale = box.width / size
    for group in groups:
        start, side = group.start * scale, len(group) * scale
        outline = Box(box.left + start, box.top + start, side, side)
        look = {"fill": False, "edgecolor": BAD, "linewidth": 0.9}
        figure.add_artist(rectangle(figure, outline, **look))
    figure.add_artist(rectangle(figure, box, fill=False, linewidth=0.8))
    below = box.bottom + PAD
    write(figure, box.middle[0], below, "predicted", LABEL_FONT, ha="center", va="top")


def draw_group_names(figure: Figure, box: Box, names: Sequence[tuple[float, str]]) -> None:
    """Write the names of groups to the left of an overview; see `group_names`."""
    for place, name in names:
        y = box.top + place * box.height
        write(figure, box.left - PAD, y, name, GROUP_FONT, ha="right", va="center")
    x = box.left - PAD - group_name_pixels(names, figure.dpi) - PAD
    write(figure, x, box.middle[1], "true", LABEL_FONT, rotation=90, ha="right", va="center")


def group_names(
    values: np.ndarray, order: Sequence[int], class_names: Sequence[str], groups: Sequence[range]
) -> list[tuple[float, str]]:
    """Place of the middle of each group, in [0, 1], and its name; large groups first.

    Args:
        values: Values that are shown as colours, (K, K).
        order: The K classes in the order of the rows.
        class_names: Names of the classes in that order.
        groups: Positions of the classes of each group.
    """
    names: list[tuple[float, str]] = []
    for group in sorted(groups, key=len, reverse=True):
        middle = (group.start + len(group) / 2) / len(values)
        if all(abs(middle - other) > MIN_LABEL_DISTANCE for other, _ in names):
            inside = np.ix_(order[group.start : group.stop], order[group.start : group.stop])
            names.append((middle, _group_name(values[inside], class_names, group)))
    return names


def group_name_pixels(names: Sequence[tuple[float, str]], dpi: float) -> float:
    """Width of the names of groups in pixels."""
    return max((inches_of(name, GROUP_FONT) * dpi for _, name in names), default=0)


def draw_list(
    figure: Figure, box: Box, lines: Sequence[Listed], class_names: Sequence[str], title: str
) -> None:
    """Draw a bar and a line of text for each confusion, the largest first; see `list_size`."""
    if not lines:
        return
    write(figure, box.middle[0], box.top, title, TITLE_FONT, ha="center", va="top")
    left = box.left + max(_widths(lines, class_names, figure.dpi)[0]) + PAD
    for row, line in enumerate(lines, start=1):
        y, length = box.top + (row + 0.5) * ROW, LONGEST * line.images / lines[0].images
        pair = _pair(line, class_names)
        write(figure, left - PAD, y, pair, FONT, ha="right", va="center_baseline")
        bar = Box(left, y - BAR / 2, length, BAR)
        figure.add_artist(rectangle(figure, bar, facecolor=line.color, linewidth=0))
        write(figure, left + length + PAD, y, line.note, FONT, va="center_baseline", color=NEUTRAL)


def list_size(
    lines: Sequence[Listed], class_names: Sequence[str], dpi: float
) -> tuple[float, float]:
    """Width and height of the list in pixels."""
    if not lines:
        return 0, 0
    pairs, notes = _widths(lines, class_names, dpi)
    ends = [
        LONGEST * line.images / lines[0].images + note
        for line, note in zip(lines, notes, strict=True)
    ]
    return max(pairs) + PAD + max(ends) + PAD, (len(lines) + 1) * ROW


def block_size(num_classes: int) -> int:
    """Cells per side of a block that is drawn as one."""
    return -(-num_classes // MAX_CELLS)


def reduced(values: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Values in an order, at most `MAX_CELLS` per side; each block keeps its most extreme one."""
    block = block_size(len(values))
    place = np.empty(len(values), np.int64)
    place[list(order)] = np.arange(len(values)) // block
    rows, columns = np.nonzero(values)  # of thousands of classes, nearly all cells are empty
    found = values[rows, columns]
    last = np.lexsort((found, abs(found)))  # of several values in one place, the last remains
    cells = np.zeros((-(-len(values) // block),) * 2)
    cells[place[rows[last]], place[columns[last]]] = found[last]
    return cells


def _group_name(inner: np.ndarray, class_names: Sequence[str], group: range) -> str:
    """The two most confused classes of a group, and the number of the others."""
    pair = most_confused(abs(inner), 2) or [0, 1]
    first, second = (shorten(class_names[group[k]], GROUP_NAME_LENGTH) for k in pair)
    return f"{first}, {second}\n+ {len(group) - 2} more"


def _pair(line: Listed, class_names: Sequence[str]) -> str:
    names = (shorten(class_names[k], NAME_LENGTH) for k in (line.true, line.predicted))
    return " → ".join(names)


def _widths(
    lines: Sequence[Listed], class_names: Sequence[str], dpi: float
) -> tuple[list[float], list[float]]:
    """Widths in pixels of the pairs of classes, and of the notes."""
    pairs = [inches_of(_pair(line, class_names), FONT) * dpi for line in lines]
    return pairs, [inches_of(line.note, FONT) * dpi for line in lines]
