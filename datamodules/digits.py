"""Datamodule of handwritten digits: 1,797 scans of 8 x 8 pixels (Alpaydin and Kaynak, 1998)."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from datamodules.augmentation.load import Transform
from datamodules.base import ImageDataModule
from datamodules.options import BatchSize, Options
from datamodules.sources.arrays import ArrayReader
from datamodules.sources.resizing import resize
from datamodules.sources.source import ImageSource
from datamodules.splits.settings import SplitSettings


class DigitsDataModule(ImageDataModule):
    """The digits that scikit-learn ships: no download; enlarged for networks made for photographs.

    Args:
        image_size: Side in pixels to which the 8 x 8 scans are enlarged.
        batch_size: Images per batch and process; `auto` for the largest useful one.
        num_workers: Loader processes; 0 is fastest, as the images are in memory.
        augmentation: A preset's name, a YAML file, or a list of albumentations.
        split: How much of the images to validate and to test on.
        options: See `Options`.
    """

    def __init__(
        self,
        image_size: int = 32,
        batch_size: BatchSize = 64,
        num_workers: int | None = 0,
        augmentation: list[Transform] | str = "glyphs",
        split: SplitSettings = SplitSettings(val=0.2, test=0.2),
        options: Options = Options(),
    ) -> None:
        super().__init__(image_size, 1, batch_size, num_workers, augmentation, split, options)

    def find_classes(self) -> tuple[str, ...]:
        """The ten digits."""
        return tuple("0123456789")

    def load(self) -> dict[str, ImageSource]:
        """All images: the publisher has set none aside."""
        digits = np.loadtxt(_file(), delimiter=",")
        grey = digits[:, :-1].reshape(-1, 8, 8, 1) * (255 / 16)  # from 0 to 16
        scans = grey.round().astype(np.uint8)
        images = np.stack([resize(scan, self.image_size) for scan in scans])
        names = [f"{index:04d}" for index in range(len(images))]
        return {"train": ImageSource(ArrayReader(images), digits[:, -1].astype(np.int64), names)}


def _file() -> Path:
    """The file of scikit-learn, whose import would take longer than reading it."""
    package = find_spec("sklearn")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
