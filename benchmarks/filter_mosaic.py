"""Speed of a mosaic of 64 filters, relative to one subplot per filter.

    uv run python benchmarks/filter_mosaic.py

Matplotlib renders both at about the same size, with one colour bar: the mosaic of this project as a
single image, the reference with `subplots(8, 8)`. First their colours are checked to be equal. Then
the two alternate on one thread. Times are CPU times: medians over rounds. The ratio is the median
of the ratios within a round. Python's garbage collector is off meanwhile: a collection would also
count the objects that the other figure left, most of them from the subplots.
"""

import gc
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from results import options_of, publish

from callbacks.plots import plot_filters
from callbacks.plots.drawing.mosaic import BETWEEN_SIGNED
from callbacks.plots.drawing.page import Picture

QUICK = []
ROUNDS = 7
SIDE = 8  # filters per row and per column
SIZES = (3, 7, 16)  # width and height of a filter
INCHES, DPI = 5.0, 130


def plot_subplots(filters: np.ndarray) -> Figure:
    """Draw one subplot per filter."""
    figure = Figure(figsize=(INCHES, INCHES), dpi=DPI)
    grid = figure.subplots(SIDE, SIDE)
    limit = np.abs(filters).max()
    for axes, weights in zip(grid.flat, filters, strict=True):
        axes.imshow(weights, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_axis_off()
    figure.colorbar(grid[0, 0].images[0], ax=grid, label="weight")
    figure.suptitle("conv1: 64 of 64 filters")
    return figure


def plot_mosaic(filters: np.ndarray) -> Figure:
    """Draw the filters as this project does."""
    return plot_filters(filters, "conv1: 64 of 64 filters")


def compare(rounds: int = ROUNDS, size: int = 7) -> dict[str, float]:
    """CPU milliseconds of `subplots` and `mosaic`, and their `ratio`.

    Raises:
        ValueError: If the colours differ.
    """
    filters = np.random.default_rng(0).normal(size=(SIDE**2, size, size))
    if not np.array_equal(mosaic_colors(filters), subplot_colors(filters)):
        raise ValueError("The colours of the mosaic and the subplots differ.")
    plots = {"subplots": plot_subplots, "mosaic": plot_mosaic}
    times: dict[str, list[float]] = {name: [] for name in plots}
    for _ in range(rounds + 1):
        for name, plot in plots.items():
            times[name].append(cpu_ms(lambda plot=plot: FigureCanvasAgg(plot(filters)).draw()))
    warm = {name: values[1:] for name, values in times.items()}
    ratios = [slow / fast for slow, fast in zip(warm["subplots"], warm["mosaic"], strict=True)]
    return {name: median(values) for name, values in warm.items()} | {"ratio": median(ratios)}


def cpu_ms(function: Callable[[], None]) -> float:
    """CPU milliseconds of a function call."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    function()
    taken = 1e3 * (time.process_time() - started)
    gc.enable()
    return taken


def subplot_colors(filters: np.ndarray) -> np.ndarray:
    """RGB of each weight in its subplot, (N, h, w, 3)."""
    images = [axes.images[0] for axes in plot_subplots(filters).axes[: len(filters)]]
    colors = [image.to_rgba(np.asarray(image.get_array()), bytes=True) for image in images]
    return np.stack(colors)[..., :3]


def mosaic_colors(filters: np.ndarray) -> np.ndarray:
    """RGB of each weight in the mosaic, from the middle of its square, (N, h, w, 3)."""
    mosaic = plot_mosaic(filters).findobj(Picture)[0].pixels
    between = mosaic == int(255 * BETWEEN_SIGNED)
    rows, columns = ~between.all(axis=(1, 2)), ~between.all(axis=(0, 2))
    size, step = filters.shape[1], rows.sum() // (SIDE * filters.shape[1])
    squares = mosaic[rows][:, columns].reshape(SIDE, size, step, SIDE, size, step, 3)
    middle = squares[:, :, step // 2, :, :, step // 2]
    return middle.swapaxes(1, 2).reshape(*filters.shape, 3)


def main() -> None:
    """Publish a row per filter size."""
    options = options_of(__doc__).parse_args()
    rows = []
    for size in SIZES:
        row = compare(size=size)
        columns = {"subplots ms": row["subplots"], "mosaic ms": row["mosaic"]}
        rows.append({"filters": f"{size} x {size}", **columns, "ratio": row["ratio"]})
    publish("filter_mosaic", rows, options.out)


if __name__ == "__main__":
    main()
