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
from pathlib import Path
from typing import Any

from photographs import write_photographs
from results import options_of, publish

QUICK = ["1000"]
ORIGINALS = 64
ONE = "--one"
COLUMNS = ("list", "split", "check", "batch", "peak MB", "loader MB")


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


def measured(root: Path) -> dict[str, float]:
    """What the first batch costs in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, __file__, ONE, str(root)],
        cwd=root.parent,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    values = list(map(float, done.stdout.split()))
    return {"CPU s": sum(values[:4])} | dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    """Publish a row per size and run."""
    if sys.argv[1:2] == [ONE]:
        first_batch(sys.argv[2])
        return
    parser = options_of(__doc__)
    parser.add_argument("sizes", nargs="+", type=int, help="numbers of images")
    options = parser.parse_args()
    rows = []
    for number in options.sizes:
        with tempfile.TemporaryDirectory() as place:
            root = write_folders(Path(place), number)
            for run in ("first", "next"):
                rows.append({"images": number, "run": run} | measured(root))
                print(rows[-1], file=sys.stderr, flush=True)
    publish("large_datasets", rows, options.out)


if __name__ == "__main__":
    main()
