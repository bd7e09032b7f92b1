"""Speed of image loading on one core, relative to the usual loaders: Pillow, torchvision, OpenCV.

    uv run python benchmarks/image_loading.py

- Photographs: JPEG files of 500 x 375 pixels, resized to 224 x 224 and randomly mirrored, in
  batches of 32.
- Faces: grey images of 48 x 48 pixels in memory, in batches of 64, without augmentation.

All loaders alternate in one process, on one thread. Rates are images per second of CPU time:
medians over rounds. Ratios are medians of the ratios within a round, relative to the first row.
Targets for photographs, relative to Pillow with torchvision v1: 2.4 without a cache, and at least
0.95 of the fastest loader; 20 with the memory-mapped cache. Target for faces: 6 relative to loading
item by item.
"""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from PIL import Image
from torch.utils.data import default_collate
from torchvision.transforms import v2
from torchvision.transforms.transforms import Compose, RandomHorizontalFlip, Resize, ToTensor

from datamodules.augmentation.pipeline import Augmentation
from datamodules.dataset import AugmentedDataset, PlainDataset
from datamodules.sources import cache
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageSource

NUM_FILES, SIZE, ROUNDS = 128, 224, 7
NUM_FACES = 4096
LoadBatch = Callable[[Sequence[int]], Any]  # from indices of images to a batch


def write_photographs(folder: Path) -> list[Path]:
    """Write blurred noise, which compresses and decodes like photographs: 60 to 70 KB per file."""
    rng = np.random.default_rng(0)
    files = [folder / f"{index}.jpg" for index in range(NUM_FILES)]
    for file in files:
        coarse = rng.integers(0, 255, (38, 50, 3), dtype=np.uint8)
        photo = cv2.resize(coarse, (500, 375), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        photo += rng.integers(-12, 12, photo.shape, dtype=np.int16)
        cv2.imwrite(str(file), photo.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return files


def unreadable_flags(source: ImageSource) -> torch.Tensor:
    """Flags of unreadable images, (N,) uint8, none of which is set."""
    return torch.zeros(len(source), dtype=torch.uint8)


def photograph_loaders(files: list[Path]) -> dict[str, LoadBatch]:
    """Loaders of photographs, by the text of their row."""
    labels, names = np.zeros(len(files), np.int64), [file.name for file in files]
    v1_transforms = Compose([Resize((SIZE, SIZE)), RandomHorizontalFlip(), ToTensor()])
    v2_transforms = v2.Compose(
        [
            v2.ToImage(),
            v2.Resize((SIZE, SIZE)),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    albumentations = A.Compose([A.Resize(SIZE, SIZE), A.HorizontalFlip(), ToTensorV2()])

    def pillow(file: Path) -> Image.Image:
        return Image.open(file).convert("RGB")

    def opencv(file: Path) -> np.ndarray:
        return cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)  # pyright: ignore[reportReturnType]

    def item_by_item(load: Callable[[Path], Any]) -> LoadBatch:
        return lambda batch: default_collate([(load(files[i]), labels[i], i) for i in batch])

    def this_project(source: ImageSource) -> LoadBatch:
        mirrored = Augmentation([A.HorizontalFlip()])
        dataset = AugmentedDataset(source, mirrored, 0, unreadable_flags(source))
        return lambda batch: dataset.__getitems__([(0, index) for index in batch])

    source = ImageSource(FileReader(files[0].parent, names, SIZE, 3), labels, names)
    return {
        "Pillow, torchvision v1": item_by_item(lambda file: v1_transforms(pillow(file))),
        "Pillow, torchvision v2": item_by_item(lambda file: v2_transforms(pillow(file))),
        "OpenCV, albumentations": item_by_item(
            lambda file: albumentations(image=opencv(file))["image"]
        ),
        "this project": this_project(source),
        "this project, cache: disk": this_project(cache.cached(source, "disk")),
    }


def face_loaders() -> dict[str, LoadBatch]:
    """Loaders of images in memory, by the text of their row."""
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (NUM_FACES, 48, 48, 1), dtype=np.uint8)
    labels = rng.integers(0, 7, NUM_FACES)
    source = ImageSource(ArrayReader(faces), labels, [str(index) for index in range(NUM_FACES)])

    def item(index: int) -> tuple[torch.Tensor, int, int]:
        return torch.from_numpy(faces[index]).permute(2, 0, 1), int(labels[index]), index

    return {
        "item by item": lambda batch: default_collate([item(index) for index in batch]),
        "this project": PlainDataset(source, unreadable_flags(source)).__getitems__,
    }


def measure_rates(
    loaders: dict[str, LoadBatch], num_images: int, batch_size: int
) -> dict[str, list[float]]:
    """Images per second of CPU time, per loader and round."""
    order = random.Random(0).sample(range(num_images), num_images)
    batches = [order[start : start + batch_size] for start in range(0, num_images, batch_size)]
    rates: dict[str, list[float]] = {name: [] for name in loaders}
    for round_number in range(ROUNDS + 1):
        for name, load in loaders.items():
            start = time.process_time()
            for batch in batches:
                load(batch)
            if round_number > 0:  # the first warms up
                rates[name].append(num_images / (time.process_time() - start))
    return rates


def print_table(title: str, rates: dict[str, list[float]]) -> None:
    """Print one row per loader, with its ratio to the first."""
    first, *_ = rates.values()
    print(f"\n{title:28} images/s  ratio  range")
    for name, values in rates.items():
        low, *_, high = ratios = sorted(a / b for a, b in zip(values, first, strict=True))
        print(f"{name:28} {median(values):8.0f}  {median(ratios):5.2f}  {low:.2f} to {high:.2f}")


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        cache.FOLDER = Path(folder) / "cache"
        photographs = photograph_loaders(write_photographs(Path(folder)))
        print_table("photographs", measure_rates(photographs, NUM_FILES, 32))
    print_table("faces in memory", measure_rates(face_loaders(), NUM_FACES, 64))


if __name__ == "__main__":
    main()
