"""Shards over a slow link: rate and waits of this project and of three other loaders.

    uv run --with litdata --with mosaicml-streaming python benchmarks/shards.py

A server on this machine answers each request after 50 ms, and sends at most 0.5 MB/s over each
connection. It has photographs in shards of 0.5 MB, which take as long as shards of 40 MB at 40 MB/s
would; so the processor is not the limit, even if it is busy. Each loader reads an epoch, shuffled,
with two loader processes and an empty cache, and decodes the images to 32 x 32 pixels in the same
way. The rounds alternate between the loaders, each in a process of its own.

The start is what comes before the first batch is asked for: imports, index, lists of files. An
epoch begins after it, so the first wait includes the start of the loader processes. A wait is what
a loop that does nothing but ask for the next batch waits for it; with `--step`, the loop works for
some time on each batch, as a training does. CPU seconds include all processes of the loader.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from photographs import write_photographs
from results import options_of, publish
from shard_loaders import KEYS, SIDES, Place
from slow_server import serve

QUICK = ["--sides", "ours", "webdataset", "--rounds", "1", "--shards", "16"]
MEGABYTE = 10**6
DIFFERENT = 36  # photographs; each is there many times under other names
NEEDED = {"ours": "webdataset"}  # packages that are called otherwise


class Epoch(NamedTuple):
    """An epoch of a loader.

    Attributes:
        images: Number of images.
        start: Seconds before the first batch is asked for.
        seconds: From then to the end of the epoch.
        waits: Seconds of each wait for a batch.
        cpu: CPU seconds of the loader and its processes.
    """

    images: int
    start: float
    seconds: float
    waits: list[float]
    cpu: float


def read_epoch(side: str, place: Place, step: float) -> Epoch:
    """Read an epoch in a process of its own."""
    result = place.cache.parent / "epoch.json"
    if (process := os.fork()) == 0:
        try:
            result.write_text(json.dumps(_read(side, place, step)))
            os._exit(0)
        finally:  # of an error: what the parent process has opened is not this one's to close
            traceback.print_exc()
            os._exit(1)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{side} has failed, see above.")
    images, start, seconds, waits = json.loads(result.read_text())
    return Epoch(images, start, seconds, waits, usage.ru_utime + usage.ru_stime)


def _read(side: str, place: Place, step: float) -> tuple[int, float, float, list[float]]:
    endpoint = place.url.removesuffix("/files")
    os.environ.update({**KEYS, "AWS_ENDPOINT_URL": endpoint, "S3_ENDPOINT_URL": endpoint})
    begun = time.perf_counter()
    loader = SIDES[side].load(place)
    asked = started = time.perf_counter()
    images, waits, batches = 0, [], iter(loader)
    while (batch := next(batches, None)) is not None:
        waits.append(time.perf_counter() - asked)
        images += len(batch[0])
        time.sleep(step)
        asked = time.perf_counter()
    return images, started - begun, time.perf_counter() - started, waits


@contextlib.contextmanager
def serving(folder: Path, latency: float, rate: float) -> Iterator[str]:
    """Serve a folder from another process; yields the URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = multiprocessing.get_context("fork").Process(
        target=serve, args=(folder, port, latency, rate), daemon=True
    )
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.join()


def write_all(sides: Sequence[str], folder: Path, shards: int, num_bytes: int) -> None:
    """Write the files of all loaders."""
    originals = write_photographs(folder / "photographs", DIFFERENT, quality=80)
    copies = shards * num_bytes // sum(file.stat().st_size for file in originals)
    images = []
    for number in range(copies * DIFFERENT):
        image = folder / "images" / "train" / "ab"[number % 2] / f"{number}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.hardlink_to(originals[number % DIFFERENT])
        images.append(image)
    for side in sides:
        target = folder / "files" / side
        target.mkdir(parents=True)
        SIDES[side].write(images, target, num_bytes)


def row(epochs: Sequence[Epoch], first: Sequence[Epoch]) -> dict[str, float]:
    """Medians over the rounds; ratios within a round, relative to another loader."""
    pairs = zip(epochs, first, strict=True)
    return {
        "images/s": median(e.images / e.seconds for e in epochs),
        "ratio": median((a.images / a.seconds) / (b.images / b.seconds) for a, b in pairs),
        "start s": median(e.start for e in epochs),
        "first wait s": median(e.waits[0] for e in epochs),
        "worst later wait s": median(max(e.waits[1:]) for e in epochs),
        "worst wait / epoch": median(max(e.waits) / e.seconds for e in epochs),
        "waits / epoch": median(sum(e.waits) / e.seconds for e in epochs),
        "CPU s": median(e.cpu for e in epochs),
    }


def main() -> None:
    """Publish a row per loader."""
    options = _options()
    sides = [side for side in options.sides if find_spec(str(NEEDED.get(side, side)))]
    if missing := [side for side in options.sides if side not in sides]:
        print(f"Left out, as they are not installed: {', '.join(missing)}", file=sys.stderr)
    epochs: dict[str, list[Epoch]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_all(sides, folder, options.shards, int(options.shard_mb * MEGABYTE))
        rate = options.mb_per_second * MEGABYTE
        with serving(folder, options.latency, rate) as url:
            for _ in range(options.rounds):
                for side in sides:
                    epochs[side].append(_epoch(side, folder, url, options))
                    last = epochs[side][-1]
                    print(side, last.images, f"images {last.seconds:.2f} s", file=sys.stderr)
    reference = epochs["webdataset" if "webdataset" in epochs else sides[0]]
    rows = [{"loader": side} | row(found, reference) for side, found in epochs.items()]
    publish("shards", rows, options.out)


def _epoch(side: str, folder: Path, url: str, options: argparse.Namespace) -> Epoch:
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        files = folder / "files"
        place = Place(files, f"{url}/files", Path(cache), options.batch, options.workers)
        return read_epoch(side, place, options.step)


def _options() -> Any:
    parser = options_of(__doc__)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=[*SIDES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shards", type=int, default=128)
    parser.add_argument("--shard_mb", type=float, default=0.5)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a request")
    parser.add_argument("--mb_per_second", type=float, default=0.5, help="of a connection")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step", type=float, default=0.0, help="seconds of work on a batch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
