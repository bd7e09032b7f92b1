"""Corruptions: accuracy against their strength, and an example image in all of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.contact_sheet import TITLE_FONT, enlarged, tile
from callbacks.plots.drawing.style import DPI, OKABE_ITO
from models.evaluation.corruptions import CORRUPTIONS, STRENGTHS

MARKERS, SIDE = "osD^", 100


def plot_corruption_curves(
    curves: Mapping[str, Sequence[float]], interval: tuple[float, float], title: str
) -> Figure:
    """Draw accuracy against strength, a panel for each family.

    Args:
        curves: Accuracy of each corruption by its name, in [0, 1], clean and at each strength.
        interval: 95 % interval of the clean accuracy: a grey band.
        title: Title of the figure.
    """
    figure = Figure(figsize=(11, 3.9), dpi=DPI, layout="constrained")
    families = list(dict.fromkeys(kind.family for kind in CORRUPTIONS.values()))
    panels = figure.subplots(1, len(families), sharey=True)
    for axes, family in zip(panels, families, strict=True):
        axes.axhspan(100 * interval[0], 100 * interval[1], color="black", alpha=0.07, lw=0)
        names = [name for name in curves if CORRUPTIONS[name].family == family]
        for name, color, marker in zip(names, OKABE_ITO, MARKERS, strict=False):
            look = {"color": color, "marker": marker, "ms": 4, "lw": 1.5}
            percent = 100 * np.asarray(curves[name])
            axes.plot((0, *STRENGTHS), percent, label=name.replace("_", " "), **look)
        axes.set_title(family, fontsize=10)
        axes.set_xticks((0, *STRENGTHS), ("clean", *map(str, STRENGTHS)), fontsize=8)
        axes.set_xlabel("strength")
        axes.set_ylim(0, 103)
        axes.grid(alpha=0.25)
        axes.legend(loc="lower left", fontsize=8, framealpha=0.8)
    panels[0].set_ylabel("accuracy, %")
    figure.suptitle(title, fontsize=11)
    return figure


def plot_corrupted_image(clean: np.ndarray, images: Mapping[str, np.ndarray], title: str) -> Figure:
    """Draw an image in all corruptions: a column for each, a row for each strength.

    Args:
        clean: The image, uint8 (H, W, C).
        images: The corrupted images by name, uint8 (5, H, W, C).
        title: Title of the figure.
    """
    tiles = np.stack([[clean] * len(images), *zip(*images.values(), strict=True)])
    rows, columns, height, width = tiles.shape[:4]
    step = max(1, max(height, width) // (2 * SIDE))
    flat = tiles.reshape(-1, *tiles.shape[2:])[:, ::step, ::step]
    sheet = tile(enlarged(flat, SIDE), columns)
    high, across = sheet.shape[0] / rows, sheet.shape[1] / columns
    ratio = sheet.shape[0] / sheet.shape[1]
    figure = Figure(figsize=(14, 13.3 * ratio + 1.2), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    names = [name.replace("_", "\n") for name in images]
    axes.set_xticks(across * (np.arange(columns) + 0.5), names, fontsize=8)
    axes.xaxis.tick_top()
    labels = ("clean", *map(str, STRENGTHS))
    axes.set_yticks(high * (np.arange(rows) + 0.5), labels, fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=TITLE_FONT)
    return figure
