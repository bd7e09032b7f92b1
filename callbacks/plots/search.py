"""Search: the settings that were tried, and the metric that each reached."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from callbacks.plots.drawing.style import BAD, DPI, GOOD
from callbacks.plots.drawing.texts import inches_of, letters_in, shorten
from callbacks.plots.drawing.titles_and_legends import add_legend, add_title

PANEL_INCHES, MAX_COLUMNS = 3.1, 4
WIDE = 30  # ratio of largest to smallest value from which on an axis is logarithmic
MARGIN = 0.8  # inches of a panel beside its axes
NAME_LENGTH = 16
NAME_FONT, TICK_FONT = 9, 8  # points
# Ticks of an axis up to these spans: multiples of the powers of ten, at least two, with space
# between them. A wider axis has ticks at the powers of ten.
TICKS = {WIDE: (1, 2, 5), 300: (1, 3)}
NARROW = 5  # below this span there may be only one such tick


def plot_search(
    values: np.ndarray,
    settings: Mapping[str, Sequence[Any]],
    importances: Mapping[str, float],
    stopped: np.ndarray,
    metric: str,
    title: str,
    log: Collection[str] = (),
) -> Figure:
    """Draw one panel per setting: its value and the metric of each trial.

    Args:
        values: Metric of each trial, (N,), the best first.
        settings: Values of the trials by setting; numbers or texts.
        importances: Share of the variation due to each setting, as far as it is known.
        stopped: Whether a trial was stopped early (pruned), (N,).
        metric: Name of the metric.
        title: Title of the figure.
        log: Settings with a logarithmic range, even if their values are close.
    """
    columns = min(len(settings), MAX_COLUMNS)
    rows = -(-len(settings) // columns)
    size = (max(PANEL_INCHES * columns, 6.4), 3 * rows + 0.7)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    room = letters_in(size[0] / columns - MARGIN, NAME_FONT)
    names = sorted(settings, key=lambda name: -importances.get(name, 0))
    for axes, name in zip(panels, names, strict=False):
        places = _places(axes, settings[name], name in log)
        kinds = ((~stopped, GOOD, "completed"), (stopped, "white", "stopped early"))
        for own, face, label in (kind for kind in kinds if kind[0].any()):
            axes.scatter(
                places[own], values[own], s=26, color=face, edgecolors=GOOD, label=label, zorder=2
            )
        axes.scatter(places[:1], values[:1], s=150, marker="*", color=BAD, label="best", zorder=3)
        share = f"\n{importances[name]:.0%} of the variation" if name in importances else ""
        axes.set_title(f"{shorten(name, room)}{share}", fontsize=NAME_FONT)
        axes.tick_params(axis="x", labelsize=TICK_FONT)
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel(metric)
    add_legend(figure, panels[0].get_legend_handles_labels()[0], 3)
    add_title(figure, title)
    return figure


def _places(axes: Axes, values: Sequence[Any], log: bool) -> np.ndarray:
    """Positions of the values on the axis, whose scale and ticks are set to suit them."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        _scale(axes, values, log)
        return np.array(values, float)
    choices = sorted(set(map(str, values)))
    labels = [shorten(choice, NAME_LENGTH) for choice in choices]
    widest = max(inches_of(label, TICK_FONT) for label in labels)
    tight = widest * len(labels) > PANEL_INCHES - MARGIN
    slant = {"rotation": 25, "rotation_mode": "anchor", "ha": "right"} if tight else {}
    axes.set_xticks(range(len(choices)), labels, **slant)
    axes.set_xlim(-0.5, len(choices) - 0.5)
    return np.array([choices.index(str(value)) for value in values], float)


def _scale(axes: Axes, values: Sequence[float], log: bool) -> None:
    """Set a logarithmic scale if it suits the numbers; integers get integer ticks."""
    low, high = min(values), max(values)
    whole = all(isinstance(value, int) for value in values)
    if low > 0 and (high > WIDE * low or (log and high > low)):
        axes.set_xscale("log")
        _mark_log(axes, high / low, whole)
    elif whole:
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def _mark_log(axes: Axes, span: float, whole: bool) -> None:
    """Set the ticks of a logarithmic axis; a short one contains few powers of ten."""
    multiples = next((subs for most, subs in TICKS.items() if span <= most), None)
    if multiples is None:
        return
    if span < NARROW:
        axes.xaxis.set_major_locator(MaxNLocator(3, steps=(1, 2, 5, 10), integer=whole))
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=multiples))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
