"""Learning curves."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from callbacks.plots.sheet import DPI, RIGHT, WRONG

Curve = Sequence[tuple[int, float]]  # (epoch, value)
COLORS = {"train": WRONG, "val": RIGHT}
LABELS = {"train": "training", "val": "validation"}


def plot_curves(history: Mapping[str, Curve]) -> Figure:
    """Loss and accuracy of training and validation over the epochs.

    Args:
        history: Points of `train/loss`, `val/loss`, `train/accuracy` and `val/accuracy`; any may
            be missing.
    """
    figure = Figure(figsize=(8.4, 3.8), dpi=DPI, layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    _draw(loss_axes, history, "loss", "cross-entropy")
    _draw(accuracy_axes, history, "accuracy", "share of images classified right")
    points = history.get("val/accuracy")
    if points:
        epoch, best = max(points, key=lambda point: point[1])
        accuracy_axes.axhline(best, color=COLORS["val"], lw=0.8, ls=":")
        accuracy_axes.set_title(f"accuracy: best {best:.4f}, epoch {epoch}", fontsize=11)
    return figure


def _draw(axes: Axes, history: Mapping[str, Curve], name: str, unit: str) -> None:
    for stage, color in COLORS.items():
        if points := history.get(f"{stage}/{name}"):
            epochs, values = zip(*points, strict=True)
            axes.plot(epochs, values, color=color, label=LABELS[stage], lw=1.6, marker="o", ms=3)
    axes.set_title(name, fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    if axes.lines:
        axes.legend(frameon=False)
