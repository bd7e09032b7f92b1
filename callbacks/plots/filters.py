"""Filters: the weights of a layer as small images or as a matrix."""

import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.drawing.colour_scale import SIGNED_COLORS, Scale, magnitude_scale, signed_scale
from callbacks.plots.drawing.fixed_layout import picture_page
from callbacks.plots.drawing.grid_version import DPI, WIDTH, set_grid_version
from callbacks.plots.drawing.mosaic import SIDE, plot_mosaic
from callbacks.plots.drawing.page import Box, add_axes, new_page, show


def plot_filters(
    filters: np.ndarray, title: str, label: str = "weight", magnitude: bool = False
) -> Figure:
    """Draw filters on one scale, symmetric about zero unless they are magnitudes.

    Args:
        filters: (N, h, w, 3) for filters with RGB input, (N, h, w) for others; (N, inputs) is
            drawn as a matrix.
        title: Title of the figure, in a few short lines.
        label: Label of the colour scale.
        magnitude: Whether the values cannot be negative.
    """
    if filters.ndim == 4:
        scale = signed_scale(filters, f"{label} of each colour", SIGNED_COLORS)
        low, high = scale.low, scale.high
        colors = (255 * (filters - low) / (high - low)).round().astype(np.uint8)
        return plot_mosaic(colors, title, scale)
    scale = magnitude_scale(filters, label) if magnitude else signed_scale(filters, label)
    if filters.ndim == 2:
        return _plot_matrix(filters, title, scale)
    return plot_mosaic(scale.paint(filters), title, scale)


def _plot_matrix(weights: np.ndarray, title: str, scale: Scale) -> Figure:
    """Draw one row per filter and one column per input."""
    figure, box = picture_page((SIDE - 40, SIDE - 40), title, axis=(46, 40))
    axes = add_axes(figure, box)
    strongest, merged = _merged(weights, SIDE - 40)
    axes.imshow(
        scale.paint(strongest),
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, merged * strongest.shape[1] - 0.5, len(weights) - 0.5, -0.5),
    )
    beneath = "" if merged == 1 else f" (largest magnitude of every {merged})"
    axes.set_xlabel(f"input{beneath}", fontsize=8)
    axes.set_ylabel("filter", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.locator_params(integer=True)
    scale.add_bar(figure, box)
    return set_grid_version(figure, _small_matrix, scale.paint(strongest))


def _small_matrix(colors: np.ndarray) -> Figure:
    """The matrix alone."""
    figure = new_page(WIDTH, WIDTH, DPI)
    show(figure, colors, Box(0, 0, WIDTH, WIDTH))
    return figure


def _merged(weights: np.ndarray, columns: int) -> tuple[np.ndarray, int]:
    """The strongest of neighbouring weights, and how many are merged to fit into the columns."""
    merged = -(-weights.shape[1] // columns)
    missing = np.zeros((len(weights), -weights.shape[1] % merged), weights.dtype)
    padded = np.concatenate([weights, missing], axis=1)
    groups = padded.reshape(len(weights), -1, merged)
    strongest = np.abs(groups).argmax(axis=2)[..., None]
    return np.take_along_axis(groups, strongest, axis=2)[..., 0], merged
