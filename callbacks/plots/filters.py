"""The filters of a layer as pictures."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from callbacks.plots.sheet import add_colorbar, plot_sheet

CMAP = "RdBu_r"


def plot_filters(filters: np.ndarray, layer: str) -> Figure:
    """Tile filters on one scale, symmetric about zero, for the whole layer.

    Args:
        filters: Weights, (N, h, w, 3) for filters that see RGB, else (N, h, w).
        layer: Name of the layer.
    """
    limit = float(np.abs(filters).max()) or 1.0
    columns = int(np.ceil(np.sqrt(len(filters))))
    title = f"{layer}: {len(filters)} filters"
    scaled = 0.5 + filters / (2 * limit)
    if filters.ndim == 4:
        return plot_sheet(
            scaled,
            [""] * len(filters),
            columns,
            f"{title}, RGB, grey = 0, ±{limit:.2g} at the ends",
        )
    figure = plot_sheet(
        matplotlib.colormaps[CMAP](scaled)[..., :3], [""] * len(filters), columns, title
    )
    add_colorbar(figure.axes[0], CMAP, -limit, limit, "weight")
    return figure
