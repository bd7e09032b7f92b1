"""Prediction sets: coverage against level, and the sizes of the sets."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.grid_version import FONT, set_grid_version, small_plot
from callbacks.plots.drawing.style import BAD, DPI, GOOD

CHANCE = "#d0d0cc"
MOST_SIZES = 12  # bars of the histogram; sizes of larger sets are grouped
ENDS = (1, 2, 3, 4, 5)  # largest sizes of the first groups; 10, 20, 50, 100 and so on follow


class Coverage(NamedTuple):
    """How prediction sets did at L levels, and their sizes at one.

    Attributes:
        levels: Demanded shares of images whose set has the true class, (L,), in [0, 1].
        covered: Shares that were found, (L,).
        low: Low end of the range that is due to chance, (L,).
        high: High end.
        mean_sizes: Mean number of classes in a set, (L,).
        accuracy: Accuracy of the network: a set of one class covers as much.
        sizes: Number of classes in the set of each image at `level`, (N,).
        level: The level of these.
    """

    levels: np.ndarray
    covered: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean_sizes: np.ndarray
    accuracy: float
    sizes: np.ndarray
    level: float


def plot_prediction_sets(found: Coverage, title: str) -> Figure:
    """Draw the coverage against the level, and a histogram of the sizes beside it.

    Args:
        found: What is drawn.
        title: Title of the figure.
    """
    figure = Figure(figsize=(9.2, 4.6), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    _draw_coverage(left, found)
    _draw_sizes(right, found)
    figure.suptitle(title, fontsize=11)
    return set_grid_version(figure, _small_coverage, found)


def _small_coverage(found: Coverage) -> Figure:
    axes = small_plot()
    axes.plot([50, 100], [50, 100], color="black", lw=0.8)
    axes.plot(100 * found.levels, 100 * found.covered, color=GOOD, marker="o", ms=4, lw=1.6)
    axes.set(xlim=(48, 101), ylim=(min(48, 98 * found.covered.min()), 101), xticks=(50, 75, 100))
    axes.set_xlabel("level, %", fontsize=FONT)
    axes.set_ylabel("coverage, %", fontsize=FONT)
    return axes.get_figure(root=True) or Figure()


def _draw_coverage(axes: Axes, found: Coverage) -> None:
    low, high, levels = (100 * each for each in (found.low, found.high, found.levels))
    axes.fill_between(levels, low, high, color=CHANCE, lw=0, label="95 % range by chance")
    axes.plot(levels, levels, color="black", lw=0.8, label="coverage = level")
    single = f"accuracy {100 * found.accuracy:.1f} %: sets of one class cover as much"
    axes.axhline(100 * found.accuracy, color=BAD, lw=1, ls="--", label=single)
    axes.plot(levels, 100 * found.covered, color=GOOD, marker="o", ms=5, lw=1.6, label="found")
    for level, covered, size in zip(levels, found.covered, found.mean_sizes, strict=True):
        axes.annotate(
            f"{size:.1f}" if size < 100 else f"{size:,.0f}",
            (level, 100 * covered),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    lowest = min(float(low.min()), 100 * float(found.covered.min()), 100 * found.accuracy, 50)
    axes.set_xlim(48, 101)
    axes.set_ylim(max(0, lowest - 3), 104)
    axes.set_xlabel("level: demanded share of sets with the true class, %")
    axes.set_ylabel("coverage: share found, %")
    axes.set_title("numbers: mean size of the sets", fontsize=9)
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", fontsize=8, framealpha=0.9, edgecolor="none")


def _draw_sizes(axes: Axes, found: Coverage) -> None:
    ends = _ends(int(found.sizes.max()))
    counts = np.bincount(np.searchsorted(ends, found.sizes), minlength=len(ends))
    shares = 100 * counts / counts.sum()
    axes.bar(range(1, len(ends) + 1), shares, color=GOOD, width=0.8)
    for place, share in enumerate(shares, 1):
        axes.annotate(
            f"{share:.0f} %" if share >= 0.5 or not share else "< 1 %",
            (place, share),
            (0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    _name_sizes(axes, ends)
    axes.set_ylim(0, 1.1 * shares.max())
    axes.set_title(f"sets at {100 * found.level:.0f} %", fontsize=9)
    axes.set_xlabel("classes in the set")
    axes.set_ylabel("images, %")
    axes.spines[["top", "right"]].set_visible(False)


def _name_sizes(axes: Axes, ends: Sequence[int]) -> None:
    starts = [1, *(end + 1 for end in ends[:-1])]
    pairs = zip(starts, ends, strict=True)
    names = [str(end) if start == end else f"{start}-{end}" for start, end in pairs]
    axes.set_xticks(range(1, len(ends) + 1), names)
    if ends[-1] > MOST_SIZES:  # names of groups are wide
        look: dict[str, Any] = {
            "rotation": 45,
            "ha": "right",
            "rotation_mode": "anchor",
            "fontsize": 8,
        }
        axes.set_xticks(range(1, len(ends) + 1), names, **look)


def _ends(largest: int) -> list[int]:
    """The largest size of each bar; a bar for each size, unless there are too many."""
    if largest <= MOST_SIZES:
        return list(range(1, max(2, largest) + 1))
    rounded = [*ENDS, *(step * 10**power for power in range(1, 9) for step in (1, 2, 5))]
    return [end for end, before in zip(rounded, [0, *rounded], strict=False) if before < largest]
