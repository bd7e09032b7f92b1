"""Learning curves: loss, accuracy and learning rates over the epochs."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import DPI, SPLIT_COLORS
from callbacks.plots.drawing.timeline import (
    Curve,
    draw_rates,
    finish,
    label_freed,
    mark_freed,
    marker,
)

LABELS = {"train": "training", "val": "validation"}
RATE = "lr/"  # prefix of the metrics with learning rates


def plot_curves(history: Mapping[str, Curve], freed: Sequence[tuple[int, str]] = ()) -> Figure:
    """Draw loss, accuracy and learning rates over the epochs; a star marks the best epoch.

    Args:
        history: Values (epoch, value) of `train/loss`, `val/loss`, `train/accuracy`,
            `val/accuracy`, `val/f1_macro` and `lr/<stage>`, from input to output; any may be
            missing.
        freed: Epochs from which on other parameters train than before, with a label.
    """
    rates = {name.removeprefix(RATE): c for name, c in history.items() if name.startswith(RATE)}
    rows = 2 if rates or freed else 1
    figure = Figure(figsize=(8.6, 3.6 * rows), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    loss, accuracy = (figure.add_subplot(grid[0, column]) for column in (0, 1))
    _draw(loss, history, "loss", "mean over the images")
    _draw(accuracy, history, "accuracy", "share of correctly classified images")
    if points := history.get("val/f1_macro"):
        accuracy.plot(
            *zip(*points, strict=True), color=SPLIT_COLORS["val"], ls="--", label="macro F1"
        )
        accuracy.legend(frameon=False)
    _mark_best(loss, accuracy, history)
    last = max((epoch for curve in history.values() for epoch, _ in curve), default=0)
    if rows == 2:
        timeline = figure.add_subplot(grid[1, :])
        draw_rates(timeline, rates)
        if freed:
            label_freed(timeline, freed, last + 1)
        else:
            timeline.set_title("Learning rates", fontsize=11)
    for axes in figure.axes:
        if freed:
            mark_freed(axes, freed)
        axes.set_xlim(-0.5 - 0.01 * last, last + 0.5 + 0.01 * last)
    return figure


def _draw(axes: Axes, history: Mapping[str, Curve], name: str, unit: str) -> None:
    for stage, label in LABELS.items():
        if points := history.get(f"{stage}/{name}"):
            epochs, values = zip(*points, strict=True)
            style = {"lw": 1.6, "marker": marker(points), "ms": 3}
            axes.plot(epochs, values, color=SPLIT_COLORS[stage], label=label, **style)
    axes.set_title(name.capitalize(), fontsize=11)
    finish(axes, unit)
    if axes.lines:
        axes.legend(frameon=False)


def _mark_best(loss: Axes, accuracy: Axes, history: Mapping[str, Curve]) -> None:
    """Put a star at the highest validation accuracy, and at the loss of the same epoch."""
    points = history.get("val/accuracy")
    if not points:
        return
    epoch, best = max(points, key=lambda point: point[1])
    accuracy.set_title(f"Accuracy: best {best:.4f}, epoch {epoch}", fontsize=11)
    star = {
        "marker": "*",
        "s": 110,
        "color": SPLIT_COLORS["val"],
        "edgecolors": "white",
        "zorder": 3,
    }
    accuracy.scatter(epoch, best, **star)
    if (value := dict(history.get("val/loss", ())).get(epoch)) is not None:
        loss.scatter(epoch, value, **star)
