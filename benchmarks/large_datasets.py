"""What a dataset of many files costs before the first batch: CPU time and memory.

    uv run python benchmarks/large_datasets.py 1000 10000 100000
    uv run python benchmarks/large_datasets.py 1281167        # as many as ImageNet has

The files are hard links to 64 photographs of 500 x 375 pixels, in 1,000 class folders (100 for less
than 10,000 images) in the folder for temporary files. Each size runs twice in a process of its own:
the first run checks every file, and the next one remembers them. CPU seconds are those of the
process without its imports, up to the first batch of 32 images; the peak of memory includes the
imports. A loader process is imitated by a fork that looks at the names, paths and labels of all
images, without decoding them: what the kernel then counts as its own is the memory that each loader
process would take.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from photographs import write_photographs
from rounds import write_json

QUICK = ["1000"]
ORIGINALS = 64
ONE = "--one"


def write_folders(folder: Path, number: int) -> Path:
    """Write class folders with a number of images, and return their root."""
    originals = [str(file) for file in write_photographs(folder / "originals", ORIGINALS, 97)]
    classes = 1000 if number >= 10_000 else 100
    for label in range(classes):
        inside = folder / "images" / f"n{label:08d}"
        inside.mkdir(parents=True)
        for index in range(label, number, classes):
            source = originals[index // classes % ORIGINALS]
            os.link(source, f"{inside}/n{label:08d}_{index}.JPEG")
    return folder / "images"


def first_batch(root: str) -> None:
    """Print the seconds of each part, the peak of memory and the memory of a loader process."""
    import torch

    from datamodules import ImageFolderDataModule

    torch.set_num_threads(1)
    times = [time.process_time()]
    data = ImageFolderDataModule(root, num_workers=0)
    _ = data.num_classes
    times.append(time.process_time())
    _ = data.sources
    times.append(time.process_time())
    data.setup("fit")
    times.append(time.process_time())
    next(iter(data.train_dataloader()))
    times.append(time.process_time())
    parts = [after - before for before, after in pairwise(times)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*parts, peak, _memory_of_a_fork(data), flush=True)
    os._exit(0)  # nothing of torch's has to be closed


def _memory_of_a_fork(data: Any) -> float:
    """Megabytes that a forked process has of its own after it has looked at all images."""
    reading, writing = os.pipe()
    if not os.fork():
        before = _own_memory()
        source: Any = data.sources["train"]
        for index in range(len(source)):
            _ = source.names[index], source.reader.paths[source.rows[index]], source.labels[index]
        os.write(writing, str(_own_memory() - before).encode())
        os._exit(0)
    os.wait()
    return float(os.read(reading, 100))


def _own_memory() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def main() -> None:
    """Print a row per size and run, and write them as JSON."""
    if sys.argv[1] == ONE:
        first_batch(sys.argv[2])
    columns = ("list", "split", "check", "batch", "peak MB", "loader MB")
    print(f"{'images':>9}  run    CPU s  {'  '.join(f'{name:>9}' for name in columns)}")
    results, totals = {}, {}
    for number in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as place:
            root = write_folders(Path(place), number)
            for run in ("first", "next"):
                command = [sys.executable, __file__, ONE, str(root)]
                environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
                done = subprocess.run(
                    command, cwd=place, env=environment, check=True, capture_output=True, text=True
                )
                values = list(map(float, done.stdout.split()))
                total = sum(values[:4])
                totals[run, number] = total
                results[f"{number} {run}"] = dict(zip(columns, values, strict=True)) | {
                    "CPU s": total
                }
                texts = "  ".join(f"{value:9.2f}" for value in values)
                print(f"{number:9,}  {run:5} {total:6.2f}  {texts}", flush=True)
    sizes = sorted({number for _, number in totals})
    if len(sizes) > 1:
        growth = log(totals["first", sizes[-1]] / totals["first", sizes[-2]])
        print(f"exponent between the last two: {growth / log(sizes[-1] / sizes[-2]):.2f}")
    write_json("large_datasets", results)


if __name__ == "__main__":
    main()
