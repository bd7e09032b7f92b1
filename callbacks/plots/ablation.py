"""Ablation: accuracy of variations, recall of classes, and predictions for unseen classes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from callbacks.plots.drawing.style import BAD, DPI, GOOD, OKABE_ITO, class_colors
from callbacks.plots.drawing.texts import shorten
from callbacks.plots.drawing.titles_and_legends import add_legend, add_title

NAME_LENGTH = 30
ROW_INCHES, BAR_INCHES = 0.42, 0.55
MAX_CLASSES = 40  # of more classes, those whose recall changes most
MAX_PREDICTED = 20  # predicted classes; of more, the least frequent are merged
FEWEST = 5  # percent, length of a bar in which a number fits
MARKERS = "osD^vP*X<>"
NEUTRAL, OTHERS = "#555555", "#CCCCCC"


def plot_ablation(
    names: Sequence[str],
    scores: Sequence[Sequence[float]],
    base_means: Sequence[float],
    differences: np.ndarray,
    title: str,
) -> Figure:
    """Draw the accuracy of each variation and seed, and its difference from the base.

    Args:
        names: Names of the variations, the base first.
        scores: Accuracies of the seeds of each variation, in [0, 1].
        base_means: Mean accuracy of the base on the images of each row, in [0, 1].
        differences: Differences from the base and the ends of their intervals, in [-1, 1],
            (V, 3); NaN for the base.
        title: Title of the figure.
    """
    height = ROW_INCHES * len(names) + 1.7
    figure = Figure(figsize=(9.6, max(height, 2.6)), dpi=DPI, layout="constrained")
    accuracy, difference = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(names))
    for place, values in enumerate(scores):
        percent = 100 * np.asarray(values)
        own = np.full(len(percent), place)
        accuracy.scatter(percent, own, s=22, color=NEUTRAL, alpha=0.6, lw=0)
        accuracy.scatter([percent.mean()], [place], s=160, color="black", marker="|", lw=2)
    accuracy.vlines(
        100 * np.asarray(base_means), places - 0.5, places + 0.5, color="black", lw=0.8, ls=":"
    )
    accuracy.set_xlabel("accuracy, %\n(dots: seeds, line: mean, dotted: base)")
    accuracy.set_yticks(places, _rows(names))
    _draw_differences(difference, 100 * differences)
    difference.set_xlabel("difference from the base, points\n(line: 95 % interval over images)")
    for axes in (accuracy, difference):
        _frame(axes)
    accuracy.set_ylim(len(names) - 0.5, -0.5)
    add_title(figure, title)
    return figure


def plot_class_recalls(
    recalls: np.ndarray,
    names: Sequence[str],
    class_names: Sequence[str],
    title: str,
    counts: Sequence[int] | None = None,
) -> Figure:
    """Draw the recall of each class for each variation; the base is a line across the row.

    Args:
        recalls: In [0, 1], (V, K), the base first; NaN for a class without images.
        names: Names of the variations.
        class_names: Names of the K classes.
        title: Title of the figure.
        counts: Images of each class, shown beside its name.
    """
    shown = np.flatnonzero(~np.isnan(recalls[0]))
    if len(shown) > MAX_CLASSES:
        change = np.abs(recalls[1:, shown] - recalls[0, shown]).max(axis=0)
        shown = shown[np.sort(np.argsort(-change, kind="stable")[:MAX_CLASSES])]
        title = f"{title}; the {MAX_CLASSES} classes that change most"
    figure = Figure(figsize=(8.6, ROW_INCHES * len(shown) + 1.5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places, spread = np.arange(len(shown)), np.linspace(-0.28, 0.28, max(len(names) - 1, 1))
    if len(names) == 2:
        spread = np.zeros(1)
    base, label = 100 * recalls[0, shown], shorten(names[0], NAME_LENGTH)
    whole = {"clip_on": False, "zorder": 3}  # also at 0 and 100
    ends = places - 0.42, places + 0.42
    signs: list[Artist] = [axes.vlines(base, *ends, color="black", lw=2, label=label, **whole)]
    for index, name in enumerate(names[1:]):
        values, rows = 100 * recalls[index + 1, shown], places + spread[index]
        color, marker = OKABE_ITO[index % len(OKABE_ITO)], MARKERS[index % len(MARKERS)]
        axes.hlines(rows, base, values, color=color, lw=1, alpha=0.6)
        label = shorten(name, NAME_LENGTH)
        look = {"s": 30, "color": color, "marker": marker, "label": label}
        signs.append(axes.scatter(values, rows, **look, **whole))
    numbers = [""] * len(class_names) if counts is None else [f" ({n:,})" for n in counts]
    labels = [shorten(class_names[k], NAME_LENGTH) + numbers[k] for k in shown.tolist()]
    axes.set_yticks(places, labels)
    axes.set_ylabel("" if counts is None else "class (images)")
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("recall: correct predictions, % of the images of the class")
    _frame(axes)
    add_legend(figure, signs, 3)
    add_title(figure, title)
    return figure


def plot_destinations(
    shares: Mapping[str, np.ndarray], class_names: Sequence[str], title: str
) -> Figure:
    """Draw as which classes a network predicts the images of classes that it was not trained on.

    Args:
        shares: By the name of each row, the share of its images that is predicted as each class,
            in [0, 1], (K,).
        class_names: Names of the K classes.
        title: Title of the figure.
    """
    figure = Figure(figsize=(8.6, BAR_INCHES * len(shares) + 1.5), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places, left = np.arange(len(shares)), np.zeros(len(shares))
    signs: list[Artist] = []
    for name, values, color in _predicted_classes(
        100 * np.stack(list(shares.values())), class_names
    ):
        axes.barh(places, values, left=left, color=color, height=0.7)
        signs.append(Patch(color=color, label=shorten(name, NAME_LENGTH)))
        ink = "white" if np.dot(to_rgb(color), (0.299, 0.587, 0.114)) < 0.55 else "black"
        for row in np.flatnonzero(values >= FEWEST).tolist():
            text, middle = f"{values[row]:.0f}", left[row] + values[row] / 2
            axes.text(middle, row, text, ha="center", va="center", fontsize=8, color=ink)
        left += values
    names = _rows(shares)
    axes.set_yticks(places, names)
    axes.set_ylim(len(shares) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("predicted as, % of the images of the class")
    axes.spines[["top", "right", "left"]].set_visible(False)
    add_legend(figure, signs, 4)
    add_title(figure, title)
    return figure


def _predicted_classes(
    table: np.ndarray, class_names: Sequence[str]
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Name, shares (R,) and colour of each predicted class; rare ones are merged if many."""
    colors, predicted = class_colors(len(class_names)), np.flatnonzero(table.any(axis=0))
    order = np.argsort(-table[:, predicted].max(axis=0), kind="stable")
    rare = (
        predicted[order[MAX_PREDICTED - 1 :]] if len(predicted) > MAX_PREDICTED else predicted[:0]
    )
    for k in map(int, predicted[~np.isin(predicted, rare)]):
        yield class_names[k], table[:, k], to_hex(colors[k])
    if len(rare):
        yield f"{len(rare)} other classes", table[:, rare].sum(axis=1), OTHERS


def _draw_differences(axes: Axes, differences: np.ndarray) -> None:
    axes.axvline(0, color="black", lw=0.8)
    for place, (value, low, high) in enumerate(differences.tolist()):
        if np.isnan(value):
            axes.plot([0], [place], "o", ms=5, mfc="white", mec="black")
            continue
        color = NEUTRAL if low <= 0 <= high else GOOD if value > 0 else BAD
        reach = [[value - low], [high - value]]
        axes.errorbar([value], [place], xerr=reach, fmt="o", color=color, capsize=3, ms=5)
        # A rounded zero gets no sign. The background hides the line at zero behind the number.
        text = "0.0" if abs(round(value, 1)) == 0 else f"{value:+.1f}"
        look = {"ha": "center", "fontsize": 8, "bbox": {"fc": "white", "ec": "none", "pad": 0.5}}
        axes.annotate(text, (value, place), (0, 6), textcoords="offset points", **look)


def _rows(names: Iterable[str]) -> list[str]:
    """Names of rows, with long lines shortened."""
    return ["\n".join(shorten(line, NAME_LENGTH) for line in name.split("\n")) for name in names]


def _frame(axes: Axes) -> None:
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
