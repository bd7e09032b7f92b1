"""Datamodule of synthetic images: it is known where each shows its class."""

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import BatchSize, Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings

PATCH = 10  # side of the patch in pixels
STRIPES = np.indices((PATCH, PATCH)) // 2 % 2
TEXTURES = {
    "rows": STRIPES[0],
    "columns": STRIPES[1],
    "checks": STRIPES.sum(axis=0) % 2,
    "full": np.ones((PATCH, PATCH), dtype=int),
}


class SyntheticDataModule(ImageDataModule):
    """Dim noise with one bright patch, whose texture is the class: ground truth for explanations.

    Args:
        num_images: Total number of images, equally many of each class.
        image_size: Side of the square images, in pixels.
        num_channels: 1 for grey images, 3 for RGB.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; 0 is fastest, as the images are in memory.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How much of the images to validate and to test on.
        options: See `Options`.
    """

    def __init__(
        self,
        num_images: int = 400,
        image_size: int = 32,
        num_channels: int = 1,
        batch_size: BatchSize = 32,
        num_workers: int | None = 0,
        augmentation: list[Transform] | str = "none",
        split: SplitSettings = SplitSettings(val=0.2, test=0.2),
        options: Options = Options(),
    ) -> None:
        super().__init__(
            image_size, num_channels, batch_size, num_workers, augmentation, split, options
        )
        self.num_images = num_images

    def find_classes(self) -> tuple[str, ...]:
        """The textures."""
        return tuple(TEXTURES)

    def load(self) -> dict[str, ImageSource]:
        """Draw all images; the same at every call."""
        rng = np.random.default_rng(0)
        size = self.image_size
        images = rng.integers(0, 90, (self.num_images, size, size, 1), dtype=np.uint8)
        labels = np.arange(self.num_images) % len(TEXTURES)
        corners = rng.integers(0, size - PATCH + 1, (self.num_images, 2))
        for image, label, (top, left) in zip(images, labels, corners, strict=True):
            patch = image[top : top + PATCH, left : left + PATCH, 0]
            patch += (160 * list(TEXTURES.values())[label]).astype(np.uint8)
        names = [f"{i}_{top}_{left}" for i, (top, left) in enumerate(corners)]
        images = np.repeat(images, self.num_channels, axis=3)
        return {"train": ImageSource(ArrayReader(images), labels.astype(np.int64), names)}


def patch_corner(name: str) -> tuple[int, int]:
    """Top and left edge, in pixels, of the patch in the image with this name."""
    _, top, left = name.split("_")
    return int(top), int(left)
