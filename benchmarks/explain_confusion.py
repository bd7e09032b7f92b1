"""How much faster is our confusion matrix than torchmetrics' own plot?

    uv run python benchmarks/explain_confusion.py
    uv run python benchmarks/explain_confusion.py --quick      # 50 classes alone; 200 take minutes

Both count the same predictions and draw them down to pixels. torchmetrics writes a number into
every cell, empty ones too, as `ConfusionMatrix.plot` does unless told not to; `add_text=False`, the
last column, leaves all out. Ours sorts many classes into groups, names those that are confused most
and lists the confusions. First the counts of both are compared. Then they take turns, on one
thread; times are CPU time, medians over rounds, and the ratio is the median of the rounds' ratios.
At 200 classes theirs takes so long that it is drawn once.
"""

import argparse
import gc
import time
from collections.abc import Callable
from statistics import median

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from callbacks.plots import plot_confusion_matrix
from models.evaluation.confusion import confusion_counts

ROUNDS = {50: 5, 200: 1}  # by classes
OUR_DRAWINGS = 3  # in a round, of which the median counts: they are short
PER_CLASS, ACCURACY, GROUP = 50, 0.8, 10  # images, share right, classes that look alike


def predictions(num_classes: int) -> tuple[Tensor, Tensor]:
    """Predicted and true classes, most mistakes within groups of classes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num_classes).repeat_interleave(PER_CLASS)
    near = labels // GROUP * GROUP + torch.randint(GROUP, labels.shape, generator=generator)
    right = torch.rand(labels.shape, generator=generator) < ACCURACY
    return torch.where(right, labels, near), labels


def compare(num_classes: int = 50, rounds: int = 5) -> dict[str, float]:
    """Seconds of `torchmetrics`, of it `without_text`, of `ours`, and the `ratio` of the first.

    Raises:
        ValueError: If the two count differently.
    """
    matplotlib.use("agg")  # torchmetrics draws with pyplot
    predicted, labels = predictions(num_classes)
    metric = MulticlassConfusionMatrix(num_classes)
    metric.update(predicted, labels)
    counts = confusion_counts(predicted, labels, num_classes)
    if not counts.equal(metric.compute()):
        raise ValueError("torchmetrics and we count differently.")
    names = [f"class {index}" for index in range(num_classes)]

    def ours() -> Figure:
        return plot_confusion_matrix(counts.numpy(), names, "validation", normalize=False)

    cpu_seconds(ours)  # loads fonts, of which both have the use
    times: dict[str, list[float]] = {"torchmetrics": [], "without_text": [], "ours": []}
    for _ in range(rounds):
        times["torchmetrics"].append(cpu_seconds(lambda: metric.plot()[0]))
        times["without_text"].append(cpu_seconds(lambda: metric.plot(add_text=False)[0]))
        times["ours"].append(median(cpu_seconds(ours) for _ in range(OUR_DRAWINGS)))
    ratio = median(np.divide(times["torchmetrics"], times["ours"]).tolist())
    return {name: median(values) for name, values in times.items()} | {"ratio": ratio}


def cpu_seconds(plot: Callable[[], Figure]) -> float:
    """Seconds of the CPU that a figure takes until it is pixels."""
    gc.collect()
    gc.disable()  # it would charge one for what the other left
    started = time.process_time()
    figure = plot()
    FigureCanvasAgg(figure).draw()
    taken = time.process_time() - started
    gc.enable()
    plt.close("all")
    return taken


def main() -> None:
    """Print a row for each number of classes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out 200 classes")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    print("classes  rounds  torchmetrics s  ours s  ratio  torchmetrics without text s")
    for num_classes, rounds in ROUNDS.items():
        if quick and num_classes > 50:
            continue
        row = compare(num_classes, rounds)
        print(
            f"{num_classes:7}  {rounds:6}  {row['torchmetrics']:14.1f}  {row['ours']:6.2f}  "
            f"{row['ratio']:5.0f}  {row['without_text']:27.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
