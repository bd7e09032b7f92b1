"""Panels of a confusion matrix: cells with names, an overview of all classes, and a list."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from callbacks.plots.confusion.order import most_confused
from callbacks.plots.drawing.style import BAD, NEUTRAL
from callbacks.plots.drawing.texts import inches_of, shorten

MAX_ANNOTATED = 25  # of more classes, cells are too small for numbers
NAME_LENGTH = 22
GROUP_NAME_LENGTH = 14
MIN_LABEL_DISTANCE = 0.045  # between the names of two groups, relative to the height of the matrix
MAX_CELLS = 500  # per side: of more, some would fall between the pixels of the figure


class Colors(NamedTuple):
    """Name of a colour map, and its scale."""

    cmap: str
    norm: Normalize


class Listed(NamedTuple):
    """A line of the list: a confusion, the length of its bar in images, a note and a colour."""

    true: int
    predicted: int
    images: int
    note: str
    color: str


def draw_cells(
    axes: Axes,
    values: np.ndarray,
    class_names: Sequence[str],
    colors: Colors,
    inches: float,
    decimals: int | None = None,
) -> None:
    """Draw a matrix with the names of the classes, and with numbers.

    Args:
        axes: Axes to draw in.
        values: Values that are shown as colours, (K, K); if one is negative, numbers have a sign.
        class_names: Names of the K classes.
        colors: Colours of the values.
        inches: Side of the matrix; long names below it are rotated.
        decimals: Decimal places of the numbers; None for whole numbers, and none at all if there
            are more than `MAX_ANNOTATED` classes.
    """
    num_classes = len(class_names)
    annotated = decimals is not None or num_classes <= MAX_ANNOTATED
    font = _font_size(num_classes, inches)
    # Not `square`: the constrained layout would not leave room for the labels.
    sns.heatmap(
        values,
        ax=axes,
        cmap=colors.cmap,
        norm=colors.norm,
        annot=_annotations(values, decimals or 0) if annotated else False,
        fmt="",
        annot_kws={"fontsize": font},
        linewidths=0.5 if annotated else 0,
        xticklabels=False,
        yticklabels=False,
        cbar=False,
    )
    for number in axes.texts:
        number.set_in_layout(False)  # measuring it takes as long as drawing it
    names = [shorten(name, NAME_LENGTH) for name in class_names]
    ticks = np.arange(num_classes) + 0.5
    turned = 90 if name_inches(class_names, inches) > inches / num_classes else 0
    axes.set_xticks(ticks, names, rotation=turned, fontsize=font)
    axes.set_yticks(ticks, names, rotation=0, fontsize=font)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def draw_overview(
    axes: Axes,
    values: np.ndarray,
    order: Sequence[int],
    class_names: Sequence[str],
    colors: Colors,
    groups: Sequence[range],
) -> None:
    """Draw all classes as an image, with an outline around each group of confused classes.

    Args:
        axes: Axes to draw in.
        values: Values that are shown as colours, (K, K).
        order: The K classes in the order of the rows.
        class_names: Names of the classes in that order.
        colors: Colours of the values.
        groups: Positions of the classes of each group.
    """
    size = len(values)
    axes.imshow(
        reduced(values, order),
        cmap=colors.cmap,
        norm=colors.norm,
        extent=(0, size, size, 0),
        interpolation="nearest",
        aspect="auto",
    )
    labels: list[tuple[float, str]] = []
    for group in sorted(groups, key=len, reverse=True):
        corner, side = (group.start, group.start), len(group)
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=BAD, linewidth=0.9))
        middle = group.start + side / 2
        if all(abs(middle - other) > MIN_LABEL_DISTANCE * size for other, _ in labels):
            inside = np.ix_(order[group.start : group.stop], order[group.start : group.stop])
            labels.append((middle, _group_name(values[inside], class_names, group)))
    places, texts = zip(*labels, strict=True) if labels else ((), ())
    axes.set_yticks(places, texts, fontsize=7)
    axes.set_xticks([])
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def draw_list(axes: Axes, lines: Sequence[Listed], class_names: Sequence[str], title: str) -> None:
    """Draw a bar and a line of text for each confusion, the largest first."""
    axes.set_axis_off()
    if not lines:
        return
    axes.set_xlim(0, 1)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_title(title, fontsize=9)
    for row, line in enumerate(lines):
        true, predicted = (
            shorten(class_names[k], NAME_LENGTH) for k in (line.true, line.predicted)
        )
        length = 0.22 * line.images / lines[0].images
        axes.text(0.49, row, f"{true} → {predicted}", ha="right", va="center", fontsize=8)
        axes.barh(row, length, left=0.5, height=0.7, color=line.color)
        axes.text(0.51 + length, row, line.note, va="center", fontsize=8, color=NEUTRAL)


def name_inches(class_names: Sequence[str], inches: float) -> float:
    """Length of the longest name in inches, as it is drawn beside a matrix of that side."""
    font = _font_size(len(class_names), inches)
    return max(inches_of(shorten(name, NAME_LENGTH), font) for name in class_names)


def _font_size(num_classes: int, inches: float) -> float:
    return float(np.clip(0.62 * 72 * inches / num_classes, 4, 9))


def _annotations(values: np.ndarray, decimals: int) -> np.ndarray:
    """Numbers for the cells; none in those that round to zero, so that the mistakes stand out."""
    form = f"{'+' if values.min() < 0 else ''}.{decimals}f"
    least = 0.5 / 10**decimals
    return np.vectorize(lambda value: format(value, form) if abs(value) >= least else "")(values)


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
