"""Calibration: reliability diagram, and risk against coverage."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.grid_version import FONT, set_grid_version, small_plot
from callbacks.plots.drawing.style import BAD, DPI, GOOD

CHANCE = "#d0d0cc"
HISTOGRAM_BINS = 20
MIN_IMAGES = 5  # of a bin that the line connects: the accuracy of fewer images is unreliable
MAX_POINTS = 1000  # of a curve: more than it has pixels


class Reliability(NamedTuple):
    """Images in B bins of confidence; NaN for empty bins.

    Attributes:
        label: Text of the legend.
        num_images: Number of images in each bin, (B,).
        confidence: Their mean confidence, in [0, 1], (B,).
        accuracy: Their accuracy, in [0, 1], (B,).
        spread: Standard deviation of the accuracy of a calibrated network, (B,).
        confidences: Confidence of each image, in [0, 1], (N,).
    """

    label: str
    num_images: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    spread: np.ndarray
    confidences: np.ndarray


def plot_calibration(
    before: Reliability, after: Reliability | None, risk: np.ndarray, by_chance: float, title: str
) -> Figure:
    """Draw a reliability diagram with its histogram, and risk against coverage beside it.

    Args:
        before: Before temperature scaling.
        after: After temperature scaling; None if no temperature could be fitted.
        risk: Share of mistakes among the k most confident images, for k = 1 … N, (N,).
        by_chance: Expected calibration error of a calibrated network, in [0, 1].
        title: Title of the figure.
    """
    figure = Figure(figsize=(8.8, 5.2), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=[3.6, 1])
    diagram = figure.add_subplot(grid[0, 0])
    histogram = figure.add_subplot(grid[1, 0], sharex=diagram)
    looks = [(before, BAD, "o")] if after is None else [(before, BAD, "o"), (after, GOOD, "s")]
    _draw_diagram(diagram, looks, by_chance)
    _draw_histogram(histogram, before, after)
    _draw_risk(figure.add_subplot(grid[:, 1]), risk)
    figure.suptitle(title, fontsize=11)
    return set_grid_version(figure, _small_diagram, looks)


def _small_diagram(looks: Sequence[tuple[Reliability, str, str]]) -> Figure:
    """Accuracy against confidence alone."""
    axes = small_plot()
    axes.plot([0, 100], [0, 100], color="black", lw=0.8)
    for series, color, marker in looks:
        many = series.num_images >= MIN_IMAGES
        across, up = 100 * series.confidence[many], 100 * series.accuracy[many]
        axes.plot(across, up, color=color, lw=1.6, marker=marker, ms=4)
    axes.set(xlim=(-2, 102), ylim=(-2, 102), xticks=(0, 50, 100), yticks=(0, 50, 100))
    axes.set_xlabel("confidence, %", fontsize=FONT)
    axes.set_ylabel("accuracy, %", fontsize=FONT)
    return axes.get_figure(root=True) or Figure()


def _draw_diagram(
    axes: Axes, looks: Sequence[tuple[Reliability, str, str]], by_chance: float
) -> None:
    axes.plot([0, 100], [0, 100], color="black", lw=0.8)
    before = looks[0][0]
    many = before.num_images >= MIN_IMAGES
    center, reach = before.confidence[many], 2 * before.spread[many]
    axes.vlines(
        100 * center,
        100 * (center - reach).clip(0, 1),
        100 * (center + reach).clip(0, 1),
        color=CHANCE,
        lw=7,
        label=f"95 % range of a calibrated network: ECE {100 * by_chance:.1f} %",
    )
    for series, color, marker in looks:
        points = np.stack([100 * series.confidence, 100 * series.accuracy])
        many = series.num_images >= MIN_IMAGES
        axes.plot(*points[:, many], color=color, lw=1.6, marker=marker, ms=6, label=series.label)
        axes.plot(*points[:, ~many], marker, color=color, ms=3.5, mfc="none", alpha=0.6)
    few = f"hollow: bins of fewer than {MIN_IMAGES} images"
    axes.plot([], [], "o", color="black", ms=3.5, mfc="none", alpha=0.6, label=few)
    if len(looks) == 1:
        axes.plot([], [], " ", label="no temperature fitted: too few images or mistakes")
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.set_ylabel("accuracy, %")
    axes.tick_params(labelbottom=False)
    axes.grid(alpha=0.25)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), fontsize=8.5, frameon=False)


def _draw_histogram(axes: Axes, before: Reliability, after: Reliability | None) -> None:
    for series, color, style in (
        (before, BAD, {"fill": True, "alpha": 0.35}),
        (after, GOOD, {}),
    ):
        if series is None:
            continue
        counts, edges = np.histogram(100 * series.confidences, HISTOGRAM_BINS, (0, 100))
        axes.stairs(counts, edges, color=color, lw=1.4, **style)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("images")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_risk(axes: Axes, risk: np.ndarray) -> None:
    num_images = len(risk)
    coverage = np.arange(1, num_images + 1) / num_images
    mistakes = round(float(risk[-1]) * num_images)
    best = np.clip(coverage - (1 - mistakes / num_images), 0, None) / coverage
    shown = np.unique(np.linspace(0, num_images - 1, MAX_POINTS).round().astype(int))
    kept = max(round(0.9 * num_images), 1)
    ours = f"by confidence: {100 * risk[kept - 1]:.1f} % at 90 % coverage"
    across, percent = 100 * coverage[shown], 100 * risk[shown]
    everything = f"in random order: {100 * risk[-1]:.1f} % mistakes"
    axes.axhline(100 * risk[-1], color="black", lw=0.8, ls="--", label=everything)
    axes.plot(across, percent, color=BAD, lw=1.6, label=f"{ours}, AURC {risk.mean():.4f}")
    axes.plot(
        across,
        100 * best[shown],
        color="black",
        lw=0.8,
        ls=":",
        label="ideal order: all mistakes last",
    )
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(105 * float(risk.max()), 1))
    axes.set_xlabel("coverage: most confident images, %")
    axes.set_ylabel("risk: mistakes among them, %")
    axes.grid(alpha=0.25)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), fontsize=8.5, frameon=False)
