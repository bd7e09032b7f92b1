"""How much faster is a sheet of 64 filters than a subplot for each of them?

    uv run python benchmarks/explain_sheets.py

Both are drawn by Matplotlib down to pixels of about the same size, on one scale with its bar: ours
as one image, the usual way with `subplots(8, 8)`. First the colours of both are compared. Then they
take turns, on one thread; times are of the CPU, rows are medians over rounds, and the ratio is the
median of the rounds' ratios. Python's garbage collector is off while they draw: it would charge
one for what the other left, and most of that is left by the subplots.
"""

import gc
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from callbacks.plots import plot_filters
from callbacks.plots.drawing.mosaic import BETWEEN_SIGNED

ROUNDS = 7
SIDE = 8  # filters in a row and in a column
SIZES = (3, 7, 16)  # pixels of a side of a filter
INCHES, DPI = 5.0, 130


def plot_subplots(filters: np.ndarray) -> Figure:
    """The usual way: axes for each filter."""
    figure = Figure(figsize=(INCHES, INCHES), dpi=DPI)
    grid = figure.subplots(SIDE, SIDE)
    limit = np.abs(filters).max()
    for axes, weights in zip(grid.flat, filters, strict=True):
        axes.imshow(weights, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_axis_off()
    figure.colorbar(grid[0, 0].images[0], ax=grid, label="weight")
    figure.suptitle("conv1: 64 of 64 filters")
    return figure


def plot_sheet(filters: np.ndarray) -> Figure:
    """Ours: one image."""
    return plot_filters(filters, "conv1: 64 of 64 filters")


def compare(rounds: int = ROUNDS, size: int = 7) -> dict[str, float]:
    """Milliseconds of each way, `subplots` and `sheet`, and their `ratio`.

    Raises:
        ValueError: If the two do not have the same colours.
    """
    filters = np.random.default_rng(0).normal(size=(SIDE**2, size, size))
    if not np.array_equal(colors_of_sheet(filters), colors_of_subplots(filters)):
        raise ValueError("The sheet and the subplots differ in their colours.")
    ways = {"subplots": plot_subplots, "sheet": plot_sheet}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, plot in ways.items():
            times[name].append(cpu_ms(lambda plot=plot: FigureCanvasAgg(plot(filters)).draw()))
    warm = {name: values[1:] for name, values in times.items()}
    ratios = [slow / fast for slow, fast in zip(warm["subplots"], warm["sheet"], strict=True)]
    return {name: median(values) for name, values in warm.items()} | {"ratio": median(ratios)}


def cpu_ms(act: Callable[[], None]) -> float:
    """Milliseconds of the CPU that something takes."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    act()
    taken = 1e3 * (time.process_time() - started)
    gc.enable()
    return taken


def colors_of_subplots(filters: np.ndarray) -> np.ndarray:
    """RGB of each weight, (N, h, w, 3)."""
    images = [axes.images[0] for axes in plot_subplots(filters).axes[: len(filters)]]
    painted = [image.to_rgba(np.asarray(image.get_array()), bytes=True) for image in images]
    return np.stack(painted)[..., :3]


def colors_of_sheet(filters: np.ndarray) -> np.ndarray:
    """RGB of each weight, (N, h, w, 3): those in the middle of its square on the sheet."""
    sheet = np.asarray(plot_sheet(filters).axes[0].images[0].get_array())
    between = sheet == int(255 * BETWEEN_SIGNED)
    rows, columns = ~between.all(axis=(1, 2)), ~between.all(axis=(0, 2))
    size, step = filters.shape[1], rows.sum() // (SIDE * filters.shape[1])
    squares = sheet[rows][:, columns].reshape(SIDE, size, step, SIDE, size, step, 3)
    middle = squares[:, :, step // 2, :, :, step // 2]
    return middle.swapaxes(1, 2).reshape(*filters.shape, 3)


def main() -> None:
    """Print the table."""
    print("filters  subplots ms  sheet ms  ratio")
    for size in SIZES:
        row = compare(size=size)
        print(
            f"{size:3}x{size:<3}  {row['subplots']:11.1f}  {row['sheet']:8.1f}  {row['ratio']:5.1f}"
        )


if __name__ == "__main__":
    main()
