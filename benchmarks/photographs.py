"""Photographs for benchmarks, cut out of the two that scikit-learn contains."""

from pathlib import Path

import cv2
import numpy as np
from sklearn.datasets import load_sample_images

HEIGHT, WIDTH = 375, 500
LARGE = (3000, 4000)


def write_photographs(folder: Path, number: int, quality: int = 98) -> list[Path]:
    """Write photographs of 500 x 375 pixels, of about 110 KB."""
    rng = np.random.default_rng(0)
    return [_write(folder / f"{index}.jpg", _part(rng, index), quality) for index in range(number)]


def write_large_photographs(folder: Path, number: int, enlarged: int, quality: int) -> list[Path]:
    """Write photographs of 4000 x 3000 pixels: parts of photographs beside each other.

    Args:
        folder: Where to write them.
        number: Of files.
        enlarged: By what factor each part is enlarged: 1 is as sharp as a pixel can be and takes
            most bytes, 8 is soft.
        quality: Of JPEG.
    """
    rng = np.random.default_rng(0)
    files = []
    for index in range(number):
        image = np.empty((*LARGE, 3), np.uint8)
        side = WIDTH * enlarged, HEIGHT * enlarged
        for top in range(0, LARGE[0], side[1]):
            for left in range(0, LARGE[1], side[0]):
                part = _part(rng, index + left // side[0])
                tile = cv2.resize(part, side, interpolation=cv2.INTER_CUBIC)
                space = image[top : top + side[1], left : left + side[0]]
                space[:] = tile[: space.shape[0], : space.shape[1]]
        files.append(_write(folder / f"{index}.jpg", image, quality))
    return files


def megabytes(files: list[Path]) -> float:
    """Mean size of the files."""
    return sum(file.stat().st_size for file in files) / len(files) / 1e6


def _part(rng: np.random.Generator, index: int) -> np.ndarray:
    images = load_sample_images().images
    image = images[index % len(images)]
    top = rng.integers(image.shape[0] - HEIGHT + 1)
    left = rng.integers(image.shape[1] - WIDTH + 1)
    return image[top : top + HEIGHT, left : left + WIDTH]


def _write(file: Path, image: np.ndarray, quality: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return file
