"""Speed of image loading on one core, relative to the usual loaders: Pillow, torchvision, OpenCV.

    uv run python benchmarks/image_loading.py

- Photographs: JPEG files of 500 x 375 pixels and about 110 KB, resized to 224 x 224 and randomly
  mirrored, in batches of 32.
- Large photographs: the same from 4000 x 3000 pixels, sharp ones and soft ones.
- Faces: grey images of 48 x 48 pixels in memory, in batches of 64, without augmentation.

All end as uint8, and alternate in one process, on one thread. Rates are images per second of CPU
time: medians over rounds. Ratios are medians of the ratios within a round, relative to the first
row. "Decoding alone" is OpenCV's, of files that are in memory.
"""

import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from photographs import megabytes, write_large_photographs, write_photographs
from PIL import Image
from results import Row, options_of, publish
from rounds import cpu_seconds, speeds
from torch.utils.data import default_collate
from torchvision.transforms import v2
from torchvision.transforms.transforms import Compose, PILToTensor, RandomHorizontalFlip, Resize

from datamodules.augmentation.pipeline import Augmentation
from datamodules.dataset import AugmentedDataset, PlainDataset
from datamodules.sources import cache
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageSource

QUICK: list[str] = []
NUM_FILES, NUM_LARGE, SIZE, ROUNDS = 96, 6, 224, 5
NUM_FACES = 4096
LoadBatch = Callable[[Sequence[int]], Any]  # from indices of images to a batch


def unreadable_flags(source: ImageSource) -> torch.Tensor:
    """Flags of unreadable images, (N,) uint8, none of which is set."""
    return torch.zeros(len(source), dtype=torch.uint8)


def photograph_loaders(files: list[Path]) -> dict[str, LoadBatch]:
    """Loaders of photographs, by the text of their row."""
    labels, names = np.zeros(len(files), np.int64), [file.name for file in files]
    v1_transforms = Compose([Resize((SIZE, SIZE)), RandomHorizontalFlip(), PILToTensor()])
    v2_transforms = v2.Compose([v2.ToImage(), v2.Resize((SIZE, SIZE)), v2.RandomHorizontalFlip()])
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

    contents = [np.frombuffer(file.read_bytes(), np.uint8) for file in files]

    def decoding(batch: Sequence[int]) -> None:
        for index in batch:
            cv2.imdecode(contents[index], cv2.IMREAD_COLOR_RGB)

    source = ImageSource(FileReader(files[0].parent, names, SIZE, 3), labels, names)
    return {
        "Pillow, torchvision v1": item_by_item(lambda file: v1_transforms(pillow(file))),
        "Pillow, torchvision v2": item_by_item(lambda file: v2_transforms(pillow(file))),
        "OpenCV, albumentations": item_by_item(
            lambda file: albumentations(image=opencv(file))["image"]
        ),
        "decoding alone": decoding,
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


def compare(
    title: str, loaders: dict[str, LoadBatch], num_images: int, batch_size: int
) -> Sequence[Row]:
    """The speeds of some loaders."""
    order = random.Random(0).sample(range(num_images), num_images)
    batches = [order[start : start + batch_size] for start in range(0, num_images, batch_size)]

    def load_all(load: LoadBatch) -> None:
        for batch in batches:
            load(batch)

    work = {name: partial(load_all, load) for name, load in loaders.items()}
    return speeds(title, cpu_seconds(work, ROUNDS), num_images)


def main() -> None:
    """Publish a row per kind of images and loader."""
    options = options_of(__doc__).parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cache.FOLDER = folder / "cache"
        files = write_photographs(folder / "usual", NUM_FILES)
        title = f"500 x 375, {1000 * megabytes(files):.0f} KB"
        rows += compare(title, photograph_loaders(files), NUM_FILES, 32)
        for name, enlarged, quality in (("sharp", 2, 93), ("soft", 8, 90)):
            files = write_large_photographs(folder / name, NUM_LARGE, enlarged, quality)
            title = f"4000 x 3000, {name}, {megabytes(files):.1f} MB"
            rows += compare(title, photograph_loaders(files), NUM_LARGE, NUM_LARGE)
    rows += compare("faces in memory", face_loaders(), NUM_FACES, 64)
    publish("image_loading", rows, options.out)


if __name__ == "__main__":
    main()
