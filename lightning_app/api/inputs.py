"""Images that a user names or holds in memory, as a network takes them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from datamodules.sources.resizing import Resize, to_square
from lightning_app.api.pixels import as_pixels, split_array
from lightning_app.cli.networks.images import Images, find_images

Pixels = np.ndarray | Image.Image
ImageInput = str | Path | Pixels | Sequence[str | Path] | Sequence[Pixels]


class ArrayImages(Images):
    """Images in memory, named by their positions.

    Args:
        arrays: uint8, (H, W), (H, W, 1) or (H, W, 3) each, of any size.
        image_size: Side in pixels of the square that the network sees.
        num_channels: 1 for grey, 3 for RGB.
        resize: What happens to images that are not square.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        image_size: int,
        num_channels: int,
        resize: Resize = "squeeze",
    ) -> None:
        self.resize: Resize = resize
        self.arrays, self.image_size, self.num_channels = arrays, image_size, num_channels
        self.files = []
        self.names = [str(index) for index in range(len(arrays))]

    def __len__(self) -> int:
        return len(self.arrays)

    def original(self, index: int) -> np.ndarray:
        """An image at its own size, uint8, (H, W, num_channels)."""
        image = self.arrays[index]
        image = image[..., None] if image.ndim == 2 else image
        if image.shape[2] == self.num_channels:
            return image
        code = cv2.COLOR_RGB2GRAY if self.num_channels == 1 else cv2.COLOR_GRAY2RGB
        return cv2.cvtColor(image, code).reshape(*image.shape[:2], self.num_channels)

    def square(self, index: int) -> np.ndarray:
        """See `Images`."""
        return to_square(self.original(index), self.image_size, self.resize)


def read_input(
    images: ImageInput, image_size: int, num_channels: int, resize: Resize = "squeeze"
) -> Images:
    """Images as a network takes them.

    Args:
        images: A file or folder, or several; an array or PIL image, or several. Arrays are uint8
            in 0…255: one image is (H, W), (H, W, 1) or (H, W, 3); a batch is (N, H, W),
            (N, H, W, 1) or (N, H, W, 3); a list may hold images of different sizes. A batch of 1,
            3 or 4 grey images has to be (N, H, W, 1).
        image_size: Side in pixels of the square that the network sees.
        num_channels: What the network sees: 1 for grey, 3 for RGB.
        resize: What happens to images that are not square.

    Raises:
        ValueError: If a file is missing or broken, an array has another type or shape, there is
            no image, files and arrays are mixed, or something else was given.
    """
    if isinstance(images, np.ndarray):
        arrays = split_array(images)
    else:
        given = _listed(images)
        if given and all(isinstance(one, str | Path) for one in given):
            files = find_images([Path(one) for one in given], keep_repeated=True)
            return Images(files, image_size, num_channels, resize)
        arrays = [as_pixels(index, one) for index, one in enumerate(given)]
    if not arrays:
        raise ValueError("Expected one image or more, got none.")
    return ArrayImages(arrays, image_size, num_channels, resize)


def _listed(images: Any) -> list[Any]:
    """The images of a sequence; a single image, or what is none, as the only one."""
    single = isinstance(images, str | Path | Image.Image | Tensor)
    return [images] if single or not isinstance(images, Iterable) else list(images)
