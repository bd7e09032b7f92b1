"""What the pictures of a validation cost with thousands of classes: CPU time and memory.

    uv run python benchmarks/many_classes.py 1000 4000 10000

50 images a class, 80 % of them correct and the others in groups of ten similar classes.
`confusion` is both figures of the confusion matrix, rendered, and the table of confusions;
`grouping` is the part of it that orders the classes; `intervals` are the bootstrap intervals of the
scores of each class. The others are from 10,000 images with logits: figures, rendered, and tables
of a picture; `counts` is the figure of the images of each class. The peak of memory is that of the
process so far, of which the logits of 10,000 classes take 400 MB.
"""

import resource
import time

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from results import options_of, publish

from callbacks.output_recorder import Outputs, SampledFeatures
from callbacks.pictures import PICTURES
from callbacks.pictures.picture import PictureContext
from callbacks.plots import plot_class_counts, plot_confusion_matrix
from callbacks.plots.confusion.matrix import grouping_of
from callbacks.plots.confusion.order import most_frequent_confusions
from models.evaluation.confusion import confusion_counts
from models.evaluation.intervals import bootstrap_intervals
from models.evaluation.predictions import Predictions

QUICK = ["1000"]
IMAGES, GROUP, CORRECT = 50, 10, 0.8
WITH_LOGITS, FEATURES = 10_000, 256
SHOWN = ("per_class", "calibration", "prediction_sets", "embedding")


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
        **draw(num_classes, names),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def draw(num_classes: int, names: list[str]) -> dict[str, float]:
    """CPU seconds of the figures and tables of some pictures."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(WITH_LOGITS) % num_classes
    logits = torch.randn(WITH_LOGITS, num_classes, generator=generator)
    logits[torch.arange(WITH_LOGITS), labels] += 4
    rows = torch.arange(0, WITH_LOGITS, 5)
    features = SampledFeatures(torch.randn(len(rows), FEATURES, generator=generator), rows)
    found = Outputs(Predictions(logits, labels, torch.arange(WITH_LOGITS)), features)
    nothing, model = torch.empty(0), torch.nn.Identity()
    context = PictureContext(model, names, lambda n: (nothing, nothing), "epoch 4", outputs=found)
    times = {}
    for name in SHOWN:
        started = time.process_time()
        for _, content in PICTURES[name]().draw(context):
            if isinstance(content, Figure):
                FigureCanvasAgg(content).draw()
        times[name] = time.process_time() - started
    started = time.process_time()
    counts = np.random.default_rng(0).zipf(1.5, num_classes).clip(max=10_000)
    FigureCanvasAgg(plot_class_counts({"train": counts}, names)).draw()
    return times | {"counts": time.process_time() - started}


def main() -> None:
    """Publish a row per number of classes."""
    parser = options_of(__doc__)
    parser.add_argument("sizes", nargs="+", type=int, help="numbers of classes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    measure(70)  # loads the fonts
    rows = [{"classes": number} | measure(number) for number in options.sizes]
    publish("many_classes", rows, options.out)


if __name__ == "__main__":
    main()
