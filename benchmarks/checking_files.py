"""Cost of the check of all image files before training, relative to decoding all of them once.

    uv run python benchmarks/checking_files.py ../shared/data/intel_scenes/test [20000]

The files are made from the photographs in a folder, at 500 x 375 pixels: 80 % JPEG, 10 % PNG, and
WebP, TIFF, BMP and GIF. All times are seconds of CPU in one process, whose threads share the work:
decoding every file; the first check, which opens every file; and the next one, which remembers.
Targets, relative to decoding: 0.7 for the first check, 0.05 for the next one.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from datamodules.sources.cache import for_each
from datamodules.sources.checked_files import check_files
from datamodules.sources.decode import read_image

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


def seconds(work: Callable[[], object]) -> float:
    """CPU time of all threads."""
    started = time.process_time()
    work()
    return time.process_time() - started


def check(files: list[Path]) -> None:
    """Check the files as a fit does."""
    check_files(lambda index: str(files[index]), len(files), "checking")


def main() -> None:
    """Print the three times, and their ratios."""
    photographs, number = Path(sys.argv[1]).resolve(), int((sys.argv[2:] or ["20000"])[0])
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)  # what is remembered goes to mlruns/cache below it
        (Path(place) / "images").mkdir()
        files = write_files(photographs, Path(place) / "images", number)
        check(files[:: len(files) // 10])

        def decode_all() -> None:
            for_each(range(len(files)), lambda index: read_image(files[index], 3).shape, "decoding")

        decoding = seconds(decode_all)
        print(f"{'decoding':12s} {decoding:7.1f} s  1.00")
        for name in ("first check", "next check"):
            checking = seconds(lambda: check(files))
            print(f"{name:12s} {checking:7.1f} s  {checking / decoding:.3f}")
        os.chdir("/")


if __name__ == "__main__":
    main()
