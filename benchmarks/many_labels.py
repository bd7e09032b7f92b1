"""What it takes to find label errors among very many images: CPU time, memory, errors found.

    uv run python benchmarks/many_labels.py 20000 100000

1,000 classes; the features of an image are 512 random numbers around the mean of its class, in a
file, as `lightning_cli suspects` leaves them there. 2 % of the labels are replaced by others. Each
size runs in a process of its own, whose peak of memory includes importing torch. `fit` is the
principal axes and the choice of penalty and temperature, `rank` the probabilities of all images and
the likely errors among them, `table` the names and the ranking as a CSV file. `found` is the share
of wrong labels among as many of the most suspicious images.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from results import options_of, publish

QUICK = ["4000"]
FEATURES, CLASSES, FLIPPED = 512, 1000, 0.02
CHUNK = 10_000  # images that are written at once
ONE = "--one"
COLUMNS = ("fit", "rank", "table", "peak MB", "found")


def write_features(file: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Write the features, and return the labels and which of them are wrong."""
    rng = np.random.default_rng(0)
    true = np.sort(np.arange(number) % CLASSES)
    means = rng.normal(size=(CLASSES, FEATURES)).astype("f4")
    rows = np.lib.format.open_memmap(file, mode="w+", dtype="f4", shape=(number, FEATURES))
    for start in range(0, number, CHUNK):
        part = true[start : start + CHUNK]
        noise = rng.standard_normal((len(part), FEATURES), dtype="f4")
        rows[start : start + CHUNK] = means[part] + 3 * noise
    wrong = rng.choice(number, round(FLIPPED * number), replace=False)
    labels = true.copy()
    labels[wrong] = (true[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    return labels, wrong


def measure(folder: Path) -> None:
    """Print the seconds of each part, the peak of memory, and the share of errors found."""
    import pandas as pd
    import torch

    from callbacks.label_suspects import Suspects
    from datamodules.sources.text_array import TextArray
    from models.evaluation.label_errors import FeatureRows, LeaveOneOut, find_label_errors

    torch.set_num_threads(1)
    labels, wrong = (torch.from_numpy(np.load(folder / f"{n}.npy")) for n in ("labels", "wrong"))
    features = np.load(folder / "features.npy", mmap_mode="r")
    names = [f"train/n{label:08d}/n{label:08d}_{row}.JPEG" for row, label in enumerate(labels)]
    names = TextArray(names)
    times = [time.process_time()]
    probabilities = LeaveOneOut(FeatureRows([features]), labels, CLASSES)
    times.append(time.process_time())
    errors = find_label_errors(probabilities, labels)
    times.append(time.process_time())
    found = Suspects(["train"] * len(labels), range(len(labels)), names, labels, errors)
    table = pd.DataFrame(found.ranking([f"class {k}" for k in range(CLASSES)], len(labels)))
    table.to_csv(folder / "ranking.csv", index=False)
    times.append(time.process_time())
    first = errors.order()[: len(wrong)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    parts = [after - before for before, after in pairwise(times)]
    print(*parts, peak, float(torch.isin(first, wrong).float().mean()), flush=True)


def measured(number: int) -> dict[str, float]:
    """What a size costs in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        labels, wrong = write_features(Path(place, "features.npy"), number)
        np.save(Path(place, "labels.npy"), labels)
        np.save(Path(place, "wrong.npy"), wrong)
        command = [sys.executable, __file__, ONE, place]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    return dict(zip(COLUMNS, map(float, done.stdout.split()), strict=True))


def main() -> None:
    """Publish a row per size."""
    if sys.argv[1:2] == [ONE]:
        measure(Path(sys.argv[2]))
        return
    parser = options_of(__doc__)
    parser.add_argument("sizes", nargs="+", type=int, help="numbers of images")
    options = parser.parse_args()
    rows = []
    for number in options.sizes:
        rows.append({"images": number} | measured(number))
        print(rows[-1], file=sys.stderr, flush=True)
    publish("many_labels", rows, options.out)


if __name__ == "__main__":
    main()
