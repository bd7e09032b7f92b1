"""Cost of the check of all image files before training, relative to decoding all of them once.

    uv run python benchmarks/checking_files.py [--photographs FOLDER] [--number 20000] [--parquet]

The files are made from the photographs in a folder, or from those of scikit-learn, at 500 x 375
pixels: 80 % JPEG, 10 % PNG, and
WebP, TIFF, BMP and GIF. CPU is that of one process, whose threads share the work: decoding every
file; the first check, which opens every file; and the next one, which remembers. Before the cold
checks, the operating system is asked to drop the files from its memory (`posix_fadvise`); if it
does not, their time on the clock is that of warm ones.
Targets, relative to decoding: 0.7 for the first check, 0.05 for the next one.

With `--parquet`, the files are put into one Parquet file, and the copy of its images to
`mlruns/cache/packed` is measured: its time, and the bytes on the disk.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from photographs import write_photographs
from PIL import Image
from results import Row, options_of, publish

from datamodules.sources.cache import for_each
from datamodules.sources.checked_files import check_files
from datamodules.sources.decode import read_image
from datamodules.sources.packed_images import pack

QUICK = ["--number", "1000"]
ORIGINALS, SIZE = 100, (500, 375)
MIX = {"jpg": 80, "png": 10, "webp": 4, "tif": 2, "bmp": 2, "gif": 2}  # per cent


def write_files(photographs: Path, folder: Path, number: int) -> list[Path]:
    """Write the mixture; each photograph is written many times."""
    found = sorted(photographs.rglob("*.jpg"))
    chosen = [found[index] for index in np.linspace(0, len(found) - 1, ORIGINALS).astype(int)]
    endings = [ending for ending, share in MIX.items() for _ in range(share)]
    files = []
    for index, (photograph, ending) in enumerate(zip(chosen, endings, strict=True)):
        first = folder / f"{index}.{ending}"
        Image.open(photograph).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC).save(first)
        content = first.read_bytes()
        copies = [first.with_stem(f"{index}-{copy}") for copy in range(number // ORIGINALS)]
        for file in copies:
            file.write_bytes(content)
        files += copies
    return files


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """CPU time of all threads, and time on the clock."""
    started, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - started, time.perf_counter() - clock


def forget(files: list[Path]) -> None:
    """Ask the operating system to drop files from its memory."""
    os.sync()
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def measure_parquet(files: list[Path]) -> list[Row]:
    """The cost of the copy that reads images of a Parquet file one by one."""
    place = Path("images.parquet")
    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    # As for different images: the same ones would be stored once.
    options = {"use_dictionary": False, "compression": "none", "row_group_size": 100}
    pq.write_table(pa.table({"image": images}), place, **options)
    rows = []
    for name in ("copy, cold", "copy, warm"):
        shutil.rmtree("mlruns", ignore_errors=True)
        if name == "copy, cold":
            forget([place])
        cpu, clock = seconds(lambda: pack(place, "image"))
        [packed] = Path("mlruns/cache/packed").glob("*.bin")
        sizes = {"MB": place.stat().st_size / 1e6, "copied MB": packed.stat().st_size / 1e6}
        rows.append({"what": name, "CPU s": cpu, "clock s": clock} | sizes)
    return rows


def check(files: list[Path]) -> None:
    """Check the files as a fit does."""
    check_files(lambda index: str(files[index]), len(files), "checking")


def measure(files: list[Path]) -> list[Row]:
    """Seconds of decoding and of the checks, and their ratios."""

    def decode_all() -> None:
        for_each(range(len(files)), lambda index: read_image(files[index], 3).shape, "decoding")

    check(files[:: len(files) // 10])
    total = sum(file.stat().st_size for file in files) / 1e6
    decoding, clock = seconds(decode_all)
    rows: list[Row] = [
        {"what": "decoding, warm", "CPU s": decoding, "clock s": clock, "ratio": 1.0, "MB": total}
    ]
    for name in ("first check, cold", "next check, cold", "first check, warm", "next check, warm"):
        if name.startswith("first"):
            shutil.rmtree("mlruns", ignore_errors=True)
        if name.endswith("cold"):
            forget(files)
        checking, clock = seconds(lambda: check(files))
        ratio = checking / decoding
        rows.append({"what": name, "CPU s": checking, "clock s": clock, "ratio": ratio})
    return rows


def main() -> None:
    """Publish the times, and their ratios."""
    parser = options_of(__doc__)
    parser.add_argument("--photographs", type=Path, metavar="FOLDER")
    parser.add_argument("--number", type=int, default=20_000, help="of files")
    parser.add_argument("--parquet", action="store_true", help="also copy from a Parquet file")
    options = parser.parse_args()
    given = options.photographs and options.photographs.resolve()
    cv2.setNumThreads(0)
    # What is remembered goes to mlruns/cache below the folder.
    with tempfile.TemporaryDirectory() as place, chdir(place):
        for name in ("images", "originals"):
            (Path(place) / name).mkdir()
        if given is None:
            given = Path(place) / "originals"
            write_photographs(given, ORIGINALS)
        files = write_files(given, Path(place) / "images", options.number)
        rows = [*measure(files), *(measure_parquet(files) if options.parquet else [])]
    publish("checking_files", rows, options.out)


if __name__ == "__main__":
    main()
