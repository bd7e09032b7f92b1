"""Sanity checks of explanations: maps of randomized networks, deletion and insertion curves."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import MAGNITUDE
from callbacks.plots.drawing.style import DPI, OKABE_ITO
from callbacks.plots.drawing.texts import shorten, wrapped

WIDTH, LEFT, RIGHT, BOTTOM = 8.8, 0.95, 0.25, 0.55  # inches, with margins
TITLE, TITLE_LINE, HEADER = 0.62, 0.17, 0.13  # inches: title with margins, its lines, a header
CHART, CURVES, BETWEEN = 1.9, 2.3, 0.75  # inches: heights of the charts, and the gap between
LOOKS = [
    (OKABE_ITO[color], marker) for color, marker in zip((0, 3, 2, 5, 1, 4), "osD^vP", strict=True)
]
COLORING = "Each map has its own scale: dark is zero, yellow is its maximum"
BRIGHT = 99.5  # percentile of a map that gets the brightest colour: single pixels are outliers
LINE = 15  # letters in a line of a header
LEGEND, SIGNS = 0.165, 7.5  # below the curves: inches per line, and points


class CheckResult(NamedTuple):
    """Results of the checks for one method.

    Attributes:
        correlations: Rank correlation with the maps of the trained network at each stage, in
            [-1, 1], (S,).
        deletion: Mean probability of the class while pixels are removed, (T + 1,).
        insertion: Mean probability of the class while pixels are added, (T + 1,).
        elsewhere: Area under the deletion curve of maps that are moved to another place.
    """

    correlations: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    elsewhere: float


def plot_sanity_checks(
    image: np.ndarray,
    layers: Sequence[str],
    maps: Mapping[str, np.ndarray],
    methods: Mapping[str, CheckResult],
    chance: tuple[np.ndarray, np.ndarray],
    title: str,
) -> Figure:
    """Draw maps while the weights are randomized, their correlation with the first, and curves.

    Args:
        image: Image that the maps explain, in [0, 1], (H, W, 3) or (H, W, 1).
        layers: First randomized layer of each stage; all layers after it are randomized too, (S,).
        maps: Maps of each method, not negative: of the trained network, then of each stage,
            (1 + S, H, W).
        methods: Results of each method, by its name in words.
        chance: Deletion and insertion curve for pixels in a random order.
        title: Title of the figure, in one or more lines.
    """
    title = wrapped(f"{title}\n{COLORING}", WIDTH - 0.3, 10)
    headers = ["image", "trained", *(_wrapped(layer, LINE, ".") for layer in layers)]
    figure, axes = _lay_out(
        headers,
        len(maps) * image.shape[0] / image.shape[1],
        title.count("\n") - 1,
        BOTTOM + LEGEND * (len(methods) + 2),
    )
    strip, chart, deletion, insertion = axes
    figure.suptitle(title, fontsize=10, y=1 - 0.08 / figure.get_figheight(), va="top")
    _draw_maps(strip, image, headers, maps)
    _draw_correlations(chart, {name: test.correlations for name, test in methods.items()})
    falls = {name: test.deletion for name, test in methods.items()}
    moved = {name: f" (moved elsewhere {test.elsewhere:.2f})" for name, test in methods.items()}
    _draw_curves(deletion, falls, chance[0], moved)
    _draw_curves(insertion, {name: test.insertion for name, test in methods.items()}, chance[1])
    deletion.set_title("Deletion: lower is better", fontsize=9.5)
    deletion.set_xlabel("pixels removed, %")
    deletion.set_ylabel("probability of the class")
    insertion.set_title("Insertion: higher is better", fontsize=9.5)
    insertion.set_xlabel("pixels added, %")
    return figure


def _lay_out(
    headers: Sequence[str], ratio: float, more: int, bottom: float
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a strip of tiles, a chart as wide as the strip, and two smaller charts.

    Args:
        headers: Texts above the columns of tiles.
        ratio: Height of a column of tiles divided by its width.
        more: Lines of the title beyond two.
        bottom: Inches below the smaller charts.
    """
    inner = WIDTH - LEFT - RIGHT
    half, strip = (inner - BETWEEN) / 2, ratio * inner / len(headers)
    top = TITLE + more * TITLE_LINE + HEADER * max(header.count("\n") + 1 for header in headers)
    height = bottom + CURVES + BETWEEN + CHART + 0.08 + strip + top
    places = [
        (LEFT, height - top - strip, inner, strip),
        (LEFT, bottom + CURVES + BETWEEN, inner, CHART),
        (LEFT, bottom, half, CURVES),
        (LEFT + half + BETWEEN, bottom, half, CURVES),
    ]
    figure = Figure(figsize=(WIDTH, height), dpi=DPI)
    scale = np.array([WIDTH, height, WIDTH, height])
    return figure, [figure.add_axes(tuple(place / scale)) for place in np.array(places)]


def _draw_maps(
    axes: Axes, image: np.ndarray, headers: Sequence[str], maps: Mapping[str, np.ndarray]
) -> None:
    paint = matplotlib.colormaps[MAGNITUDE]
    for row, stages in enumerate(maps.values()):
        pictures = [np.broadcast_to(image, (*image.shape[:2], 3))]
        for map_ in stages:
            high = np.percentile(map_, BRIGHT) or map_.max() or 1.0
            pictures.append(paint((map_ / high).clip(0, 1))[..., :3])
        for column, picture in enumerate(pictures):
            place = (column - 0.48, column + 0.48, row + 0.48, row - 0.48)
            axes.imshow(picture, extent=place, aspect="auto", interpolation="nearest")
    axes.set_xlim(-0.5, len(headers) - 0.5)
    axes.set_ylim(len(maps) - 0.5, -0.5)
    axes.set_yticks(range(len(maps)), [_wrapped(name, 11) for name in maps], fontsize=8)
    axes.set_xticks(range(len(headers)), headers, fontsize=7.5)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def _draw_correlations(axes: Axes, methods: Mapping[str, np.ndarray]) -> None:
    columns = 2 + max(map(len, methods.values()))
    axes.axhline(0, color="black", lw=0.8)
    for (name, values), (color, marker) in zip(methods.items(), cycle(LOOKS), strict=False):
        label = _wrapped(name, 11)
        places = range(1, columns)
        axes.plot(places, [1, *values], color=color, marker=marker, ms=4, lw=1.6, label=label)
    axes.set_xlim(-0.5, columns - 0.5)  # the columns above
    axes.set_ylim(min(-0.25, *(values.min() - 0.1 for values in methods.values())), 1.08)
    axes.set_xticks(range(1, columns), [])
    axes.set_ylabel("rank correlation with maps\nof the trained network", fontsize=8)
    axes.set_xlabel(
        "weights randomized from this layer to the output (should fall to 0)",
        fontsize=9,
    )
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7.5, frameon=False, loc="center left", borderpad=0, handlelength=1.2)


def _draw_curves(
    axes: Axes,
    curves: Mapping[str, np.ndarray],
    chance: np.ndarray,
    notes: Mapping[str, str] | None = None,
) -> None:
    shares = np.linspace(0, 100, len(chance))
    label = f"random order: {_area(chance):.2f}"
    axes.plot(shares, chance, color="grey", lw=1.4, ls="--", label=label)
    for (name, curve), (color, marker) in zip(curves.items(), cycle(LOOKS), strict=False):
        label = f"{name}: {_area(curve):.2f}{(notes or {}).get(name, '')}"
        axes.plot(shares, curve, color=color, marker=marker, ms=3, lw=1.6, label=label)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.25)
    axes.legend(
        loc="upper center",  # below: there are curves everywhere
        bbox_to_anchor=(0.5, -0.45 / CURVES),
        borderaxespad=0,
        fontsize=SIGNS,
        frameon=False,
        title="Area under the curve",
        title_fontsize=SIGNS,
    )


def _area(curve: np.ndarray) -> float:
    return float((curve[1:] + curve[:-1]).mean() / 2)


def _wrapped(name: str, length: int, at: str = " ") -> str:
    """A name broken between its parts into lines of at most that length."""
    lines = [""]
    for part in name.split(at):
        longer = f"{lines[-1]}{at}{part}" if lines[-1] else part
        if len(longer) <= length or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(shorten(line, length) for line in lines[:3])
