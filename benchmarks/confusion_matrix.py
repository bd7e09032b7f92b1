"""Speed of the confusion matrix figure, relative to the plot of torchmetrics.

    uv run python benchmarks/confusion_matrix.py
    uv run python benchmarks/confusion_matrix.py --quick      # only 50 classes; 200 take minutes

Both count the same predictions and render a figure. torchmetrics' `ConfusionMatrix.plot` writes a
number into every cell by default, even if it is zero; the last column of the table shows the time
without numbers (`add_text=False`). If there are many classes, this project sorts them into groups,
labels only the classes that are confused most, and lists the most frequent confusions. First the
counts of both are checked to be equal. Then the two alternate on one thread. Times are CPU times:
medians over rounds. The ratio is the median of the ratios within a round. With 200 classes there
is only one round, since torchmetrics takes so long.
"""

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
from results import options_of, publish
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from callbacks.plots import plot_confusion_matrix
from models.evaluation.confusion import confusion_counts

QUICK = ["--quick"]
ROUNDS = {50: 5, 200: 1}  # by number of classes
REPEATS = 3  # of this project's figure per round, whose median counts: a single one is short
IMAGES_PER_CLASS, CORRECT_SHARE, GROUP_SIZE = 50, 0.8, 10


def make_predictions(num_classes: int) -> tuple[Tensor, Tensor]:
    """Predicted classes and labels; mistakes stay within groups of similar classes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num_classes).repeat_interleave(IMAGES_PER_CLASS)
    others = torch.randint(GROUP_SIZE, labels.shape, generator=generator)
    similar = labels // GROUP_SIZE * GROUP_SIZE + others
    correct = torch.rand(labels.shape, generator=generator) < CORRECT_SHARE
    return torch.where(correct, labels, similar), labels


def compare(num_classes: int = 50, rounds: int = 5) -> dict[str, float]:
    """CPU seconds of both figures, and their ratio.

    Returns:
        Seconds of `torchmetrics`, of torchmetrics `without_text`, and of `this_project`; `ratio` is
        the first relative to the last.

    Raises:
        ValueError: If the two count differently.
    """
    matplotlib.use("agg")  # torchmetrics draws with pyplot
    predicted, labels = make_predictions(num_classes)
    metric = MulticlassConfusionMatrix(num_classes)
    metric.update(predicted, labels)
    counts = confusion_counts(predicted, labels, num_classes)
    if not counts.equal(metric.compute()):
        raise ValueError("The confusion counts of this project and of torchmetrics differ.")
    names = [f"class {index}" for index in range(num_classes)]

    def plot() -> Figure:
        return plot_confusion_matrix(counts.numpy(), names, "validation", normalize=False)

    cpu_seconds(plot)  # loads the fonts, which both use
    times: dict[str, list[float]] = {"torchmetrics": [], "without_text": [], "this_project": []}
    for _ in range(rounds):
        times["torchmetrics"].append(cpu_seconds(lambda: metric.plot()[0]))
        times["without_text"].append(cpu_seconds(lambda: metric.plot(add_text=False)[0]))
        times["this_project"].append(median(cpu_seconds(plot) for _ in range(REPEATS)))
    ratio = median(np.divide(times["torchmetrics"], times["this_project"]).tolist())
    return {name: median(values) for name, values in times.items()} | {"ratio": ratio}


def cpu_seconds(plot: Callable[[], Figure]) -> float:
    """CPU seconds to make and render a figure."""
    gc.collect()
    gc.disable()  # a collection would also count the objects that the other figure left
    started = time.process_time()
    figure = plot()
    FigureCanvasAgg(figure).draw()
    taken = time.process_time() - started
    gc.enable()
    plt.close("all")
    return taken


def main() -> None:
    """Publish a row per number of classes."""
    parser = options_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out 200 classes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for num_classes, rounds in ROUNDS.items():
        if options.quick and num_classes > 50:
            continue
        row = compare(num_classes, rounds)
        columns = {"classes": num_classes, "rounds": rounds, "torchmetrics s": row["torchmetrics"]}
        columns |= {"this project s": row["this_project"], "ratio": row["ratio"]}
        rows.append(columns | {"torchmetrics without text s": row["without_text"]})
    publish("confusion_matrix", rows, options.out)


if __name__ == "__main__":
    main()
