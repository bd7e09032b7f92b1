"""Cost of the check of all image files before training, relative to decoding all of them once.

    uv run python benchmarks/checking_files.py ../shared/data/intel_scenes/test [20000] [parquet]

The files are made from the photographs in a folder, at 500 x 375 pixels: 80 % JPEG, 10 % PNG, and
WebP, TIFF, BMP and GIF. CPU is that of one process, whose threads share the work: decoding every
file; the first check, which opens every file; and the next one, which remembers. Before the cold
checks, the operating system is asked to drop the files from its memory (`posix_fadvise`); if it
does not, their time on the clock is that of warm ones.
Targets, relative to decoding: 0.7 for the first check, 0.05 for the next one.

With `parquet`, the files are put into one Parquet file, and the copy of its images to
`mlruns/cache/packed` is measured: its time, and the bytes on the disk.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from datamodules.sources.cache import for_each
from datamodules.sources.checked_files import check_files
from datamodules.sources.decode import read_image
from datamodules.sources.packed_images import pack

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


def measure_parquet(files: list[Path]) -> None:
    """Print the cost of the copy that reads images of a Parquet file one by one."""
    place = Path("images.parquet")
    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    # As for different images: the same ones would be stored once.
    options = {"use_dictionary": False, "compression": "none", "row_group_size": 100}
    pq.write_table(pa.table({"image": images}), place, **options)
    for name in ("copy, cold", "copy, warm"):
        shutil.rmtree("mlruns", ignore_errors=True)
        if name == "copy, cold":
            forget([place])
        cpu, clock = seconds(lambda: pack(place, "image"))
        [packed] = Path("mlruns/cache/packed").glob("*.bin")
        sizes = f"{place.stat().st_size / 1e6:.0f} MB -> {packed.stat().st_size / 1e6:.0f} MB"
        print(f"{name:18s} {cpu:7.2f} s CPU {clock:7.2f} s on the clock  {sizes}")


def check(files: list[Path]) -> None:
    """Check the files as a fit does."""
    check_files(lambda index: str(files[index]), len(files), "checking")


def main() -> None:
    """Print the times, and their ratios."""
    photographs, number = Path(sys.argv[1]).resolve(), int((sys.argv[2:] or ["20000"])[0])
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)  # what is remembered goes to mlruns/cache below it
        (Path(place) / "images").mkdir()
        files = write_files(photographs, Path(place) / "images", number)
        check(files[:: len(files) // 10])

        def decode_all() -> None:
            for_each(range(len(files)), lambda index: read_image(files[index], 3).shape, "decoding")

        total = sum(file.stat().st_size for file in files) / 1e6
        print(f"{len(files):,} files, {total:,.0f} MB")
        decoding, clock = seconds(decode_all)
        print(f"{'decoding, warm':18s} {decoding:7.2f} s CPU {clock:7.2f} s on the clock  1.00")
        for name in (
            "first check, cold",
            "next check, cold",
            "first check, warm",
            "next check, warm",
        ):
            if name.startswith("first"):
                shutil.rmtree("mlruns", ignore_errors=True)
            if name.endswith("cold"):
                forget(files)
            checking, clock = seconds(lambda: check(files))
            ratio = checking / decoding
            print(f"{name:18s} {checking:7.2f} s CPU {clock:7.2f} s on the clock  {ratio:.3f}")
        if "parquet" in sys.argv:
            measure_parquet(files)
        os.chdir("/")


if __name__ == "__main__":
    main()
