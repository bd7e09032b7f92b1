"""Figures of `figures.py`, drawn by this project and in the usual way of Matplotlib and seaborn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from callbacks.plots import plot_confusion_matrix, plot_feature_maps, plot_filters, plot_overlays
from callbacks.plots.drawing.overlays import overlaid
from callbacks.plots.saliency import plot_saliency

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
Draw = Callable[[str], Figure]  # from a title


def photographs(number: int, side: int = 224) -> tuple[np.ndarray, np.ndarray]:
    """Smooth images with some noise, (N, H, W, 3), and a heat map for each, (N, H, W)."""
    y, x = np.mgrid[:side, :side] / side
    noise = np.random.default_rng(0).normal(0, 0.03, (number, side, side, 3))
    waves = [np.stack([np.sin(7 * x + k), np.cos(5 * y + k), x + y - 1], -1) for k in range(number)]
    heat = [np.exp(-8 * ((x - 0.5 - 0.02 * k) ** 2 + (y - 0.5) ** 2)) for k in range(number)]
    images = (0.5 + 0.4 * np.stack(waves) + noise).clip(0, 1)
    return images.astype(np.float32), np.stack(heat).astype(np.float32)


def confusion() -> tuple[Draw, Draw]:
    """Ten classes, as percent, with numbers."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(8, (10, 10)) * (rng.random((10, 10)) < 0.5) + 150 * np.eye(10, dtype=int)

    def usual(title: str) -> Figure:
        figure, axes = _subplots(1, 1, title, 8)
        shares = 100 * counts / counts.sum(axis=1, keepdims=True)
        sns.heatmap(shares, ax=axes[0], annot=True, fmt=".0f", cmap="Blues", linewidths=0.5)
        axes[0].set_xticks(np.arange(10) + 0.5, NAMES, rotation=90)
        axes[0].set_yticks(np.arange(10) + 0.5, NAMES, rotation=0)
        return figure

    return lambda title: plot_confusion_matrix(counts, NAMES, title, True), usual


def overlays() -> tuple[Draw, Draw]:
    """Twelve images of 224 x 224 and their heat maps."""
    images, maps = photographs(12)
    captions, colors = ["dog (98%)\nnot cat"] * 12, ["#D55E00"] * 12

    def usual(title: str) -> Figure:
        figure, axes = _subplots(4, 3, title, 7)
        pairs = np.concatenate([images, overlaid(images, maps)], axis=2)
        for place, pair, caption in zip(axes, pairs, captions, strict=True):
            shown = place.imshow(pair)
            place.set_title(caption, y=-0.4, fontsize=8)
        figure.colorbar(shown, ax=axes)  # pyright: ignore[reportPossiblyUnboundVariable]
        return figure

    return lambda title: plot_overlays(images, maps, captions, colors, title), usual


def saliency() -> tuple[Draw, Draw]:
    """Six images of 224 x 224 with maps of three methods, which are noisy."""
    images, _ = photographs(6)
    rng, methods = np.random.default_rng(0), ("vanilla", "guided", "smooth_grad")
    maps = {name: np.abs(rng.normal(size=images.shape[:3])).astype(np.float32) for name in methods}

    def usual(title: str) -> Figure:
        figure, axes = _subplots(6, 4, title, 7)
        rows = zip(images, *maps.values(), strict=True)
        for place, picture in zip(axes, (each for row in rows for each in row), strict=True):
            shown = place.imshow(picture, cmap="inferno")
        figure.colorbar(shown, ax=axes)  # pyright: ignore[reportPossiblyUnboundVariable]
        return figure

    captions, colors = ["dog (98%)\nnot cat"] * 6, ["#D55E00"] * 6
    return lambda title: plot_saliency(images, maps, captions, colors, title), usual


def feature_maps() -> tuple[Draw, Draw]:
    """64 maps of 56 x 56."""
    maps, image = np.random.default_rng(0).random((64, 56, 56)), photographs(1)[0][0]
    constant = np.zeros(64, bool)
    return lambda title: plot_feature_maps(maps, image, constant, title), _squares(maps, "viridis")


def filters() -> tuple[Draw, Draw]:
    """64 filters of 7 x 7 in colour."""
    weights = np.random.default_rng(0).normal(size=(64, 7, 7, 3))
    usual = _squares((weights - weights.min()) / np.ptp(weights), None)
    return lambda title: plot_filters(weights, title), usual


FIGURES = {
    "confusion matrix": confusion,
    "overlays": overlays,
    "saliency": saliency,
    "feature maps": feature_maps,
    "filters": filters,
}


def _subplots(rows: int, columns: int, title: str, inches: float) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(inches, inches), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for place in axes if rows > 1 else ():
        place.set_axis_off()
    figure.suptitle(title)
    return figure, axes


def _squares(tiles: np.ndarray, cmap: str | None) -> Draw:
    def usual(title: str) -> Figure:
        figure, axes = _subplots(8, 8, title, 5.4)
        for place, picture in zip(axes, tiles, strict=True):
            shown = place.imshow(picture, cmap=cmap)
        figure.colorbar(shown, ax=axes)  # pyright: ignore[reportPossiblyUnboundVariable]
        return figure

    return usual
