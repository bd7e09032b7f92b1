"""What the pictures of a validation cost with thousands of classes: CPU time and memory.

    uv run python benchmarks/many_classes.py 1000 4000 10000

50 images a class, 80 % of them correct and the others in groups of ten similar classes.
`confusion` is both figures of the confusion matrix, rendered, and the table of confusions;
`grouping` is the part of it that orders the classes; `intervals` are the bootstrap intervals of the
scores of each class. The peak of memory is that of the process so far.
"""

import resource
import sys
import time

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rounds import write_json

from callbacks.plots import plot_confusion_matrix
from callbacks.plots.confusion.matrix import grouping_of
from callbacks.plots.confusion.order import most_frequent_confusions
from models.evaluation.confusion import confusion_counts
from models.evaluation.intervals import bootstrap_intervals

QUICK = ["1000"]
IMAGES, GROUP, CORRECT = 50, 10, 0.8


def predictions(num_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Predicted classes and labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(num_classes), IMAGES)
    similar = labels // GROUP * GROUP + rng.integers(GROUP, size=len(labels))
    found = np.where(rng.random(len(labels)) < CORRECT, labels, similar.clip(max=num_classes - 1))
    return torch.from_numpy(found), torch.from_numpy(labels)


def measure(num_classes: int) -> dict[str, float]:
    """CPU seconds of each part, and megabytes."""
    confusion = confusion_counts(*predictions(num_classes), num_classes)
    names = [f"class {index}" for index in range(num_classes)]
    times = [time.process_time()]
    grouping = grouping_of(counts := confusion.numpy())
    times.append(time.process_time())
    for normalize in (True, False):
        figure = plot_confusion_matrix(counts, names, "validation", normalize, grouping)
        FigureCanvasAgg(figure).draw()
    most_frequent_confusions(counts, 200)
    times.append(time.process_time())
    bootstrap_intervals(confusion)
    times.append(time.process_time())
    return {
        "grouping": times[1] - times[0],
        "confusion": times[2] - times[0],
        "intervals": times[3] - times[2],
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Print a row per number of classes, and write them as JSON."""
    torch.set_num_threads(1)
    measure(70)  # loads the fonts
    rows = {}
    print("classes   grouping  confusion  intervals    peak MB")
    for number in map(int, sys.argv[1:]):
        rows[number] = row = measure(number)
        print(f"{number:7,}  {'  '.join(f'{value:9.2f}' for value in row.values())}", flush=True)
    write_json("many_classes", rows)


if __name__ == "__main__":
    main()
