"""The images that a user names."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules.sources.decode import EXTENSIONS, file_complaint, read_image
from datamodules.sources.files import resize
from datamodules.walk import files_below, is_image

SHOWN = 5  # complaints that a message lists


class Images:
    """Image files, as the network sees them and as they are.

    Args:
        files: Of the images.
        image_size: Side in pixels of the square that the network sees.
        num_channels: 1 for grey, 3 for RGB.
    """

    def __init__(self, files: Sequence[Path], image_size: int, num_channels: int) -> None:
        self.files, self.image_size, self.num_channels = files, image_size, num_channels
        base = Path(os.path.commonpath([file.parent.resolve() for file in files]))
        self.names = [file.resolve().relative_to(base).as_posix() for file in files]

    def __len__(self) -> int:
        return len(self.files)

    def original(self, index: int) -> np.ndarray:
        """An image at its own size, uint8, (H, W, num_channels)."""
        return read_image(self.files[index], self.num_channels)

    def batch(self, indices: Iterable[int]) -> Tensor:
        """Images as the network sees them, (n, C, image_size, image_size) in [0, 1]."""
        pixels = [resize(self.original(index), self.image_size) for index in indices]
        return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255

    def sample(self, num_images: int) -> tuple[Tensor, Tensor]:
        """Images spread over all, all if that many are asked for, and -1 for what they show."""
        chosen = self._spread(num_images)
        return self.batch(chosen), torch.full((len(chosen),), -1)

    def sampled_names(self, num_images: int) -> list[str]:
        """What the images of `sample` are called."""
        return [self.names[index] for index in self._spread(num_images)]

    def _spread(self, num_images: int) -> list[int]:
        count = min(num_images, len(self))
        return [index * len(self) // count for index in range(count)]


def find_images(places: Sequence[Path]) -> list[Path]:
    """Files as they are named, and the images of folders and the folders in them, by name.

    Raises:
        ValueError: If there is no such file or folder, a folder has no image, or one is broken.
    """
    files: list[Path] = []
    for place in places:
        if not place.exists():
            raise ValueError(f"There is no image or folder {place}.")
        found = _images_in(place) if place.is_dir() else [place]
        if not found:
            kinds = ", ".join(sorted(EXTENSIONS))
            raise ValueError(f"There is no image in the folder {place}; those end in {kinds}.")
        files += found
    unique: dict[Path, Path] = {}  # one file may be named in two ways
    for file in files:
        unique.setdefault(file.resolve(), file)
    files = list(unique.values())
    bad = [complaint for file in files if (complaint := file_complaint(file))]
    if bad:
        more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        listed = "\n  ".join(bad[:SHOWN])
        raise ValueError(f"{len(bad)} of {len(files)} images cannot be read:\n  {listed}{more}")
    return files


def _images_in(folder: Path) -> list[Path]:
    return sorted(file for file in files_below(folder) if is_image(file))
