"""Unknowns: similarity of known and of unknown images, and how well scores separate them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.grid_version import FONT, set_grid_version, small_plot
from callbacks.plots.drawing.style import BAD, DPI, GOOD

BINS = 40
COLOURS = (BAD, "#8a5fbf", "#c98a1b")  # of the kinds of unknown images
LONGEST = 24  # letters of a kind in the table


def plot_unknowns(
    similarity: Mapping[str, np.ndarray],
    threshold: float,
    auroc: Mapping[str, Sequence[float]],
    title: str,
) -> Figure:
    """Draw histograms of the similarity, and a table of the areas under the ROC curve beside them.

    Args:
        similarity: Similarity of images, by their kind; the known ones first.
        threshold: Similarity below which an image is unknown.
        auroc: For each score, the area for each kind of unknown images, in their order.
        title: Title of the figure.
    """
    figure = Figure(figsize=(9.6, 4.4), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_histograms(left, similarity, threshold)
    left.set_xlabel("similarity: cosine to the 5th nearest validation image")
    left.set_ylabel("share of the images, %")
    left.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, fontsize=8.5, frameon=False)
    _draw_areas(right, list(similarity)[1:], auroc)
    figure.suptitle(title, fontsize=11)
    return set_grid_version(figure, _small_histograms, (similarity, threshold))


def _small_histograms(shown: tuple[Mapping[str, np.ndarray], float]) -> Figure:
    axes = small_plot()
    _draw_histograms(axes, *shown)
    axes.set_xlabel("similarity", fontsize=FONT)
    axes.set_ylabel("images, %", fontsize=FONT)
    return axes.get_figure(root=True) or Figure()


def _draw_histograms(axes: Axes, similarity: Mapping[str, np.ndarray], threshold: float) -> None:
    together = np.concatenate(list(similarity.values()))
    edges = np.linspace(together.min(), max(together.max(), together.min() + 1e-3), BINS + 1)
    colours = (GOOD, *COLOURS)
    for (name, values), colour in zip(similarity.items(), colours, strict=False):
        counts, _ = np.histogram(values, edges)
        label = f"{name} ({len(values):,})"
        axes.stairs(100 * counts / len(values), edges, color=colour, lw=1.4, fill=True, alpha=0.35)
        axes.stairs(100 * counts / len(values), edges, color=colour, lw=1.4, label=label)
    axes.axvline(threshold, color="black", lw=1, ls="--", label="threshold: below is unknown")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_areas(axes: Axes, kinds: Sequence[str], auroc: Mapping[str, Sequence[float]]) -> None:
    values = np.array(list(auroc.values()))
    axes.imshow(values, cmap="Greens", vmin=0.5, vmax=1.3, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=10)
    names = [k if len(k) <= LONGEST else f"{k[: LONGEST - 1]}…" for k in kinds]
    axes.set_xticks(range(len(names)), names, fontsize=9)
    axes.set_yticks(range(len(auroc)), list(auroc), fontsize=9)
    axes.tick_params(length=0)
    axes.set_title("AUROC: known against unknown (chance 0.5)", fontsize=9)
    axes.spines[:].set_visible(False)
