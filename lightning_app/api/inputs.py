"""Images that a user names or holds in memory, as a network takes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lightning_app.commands.explain.images import Images, find_images

CHANNELS = (1, 3)  # grey, RGB
ImageInput = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


class ArrayImages(Images):
    """Images in memory, named by their positions.

    Args:
        arrays: uint8, (H, W), (H, W, 1) or (H, W, 3) each, of any size.
        image_size: Side in pixels of the square that the network sees.
        num_channels: 1 for grey, 3 for RGB.
    """

    def __init__(self, arrays: Sequence[np.ndarray], image_size: int, num_channels: int) -> None:
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


def read_input(images: ImageInput, image_size: int, num_channels: int) -> Images:
    """Images as a network takes them.

    Args:
        images: A file or folder, or several; an array, or several. Arrays are uint8 in 0…255:
            one image is (H, W), (H, W, 1) or (H, W, 3); a batch is (N, H, W), (N, H, W, 1) or
            (N, H, W, 3); a list may hold images of different sizes.
        image_size: Side in pixels of the square that the network sees.
        num_channels: What the network sees: 1 for grey, 3 for RGB.

    Raises:
        ValueError: If a file is missing or broken, an array has another type or shape, there is
            no image, or files and arrays are mixed.
    """
    if isinstance(images, np.ndarray):
        arrays = _split(images)
    else:
        given: list[Any] = [images] if isinstance(images, str | Path) else list(images)
        if given and not any(isinstance(one, np.ndarray) for one in given):
            return Images(find_images([Path(one) for one in given]), image_size, num_channels)
        arrays = [_checked(index, one) for index, one in enumerate(given)]
    if not arrays:
        raise ValueError("There are no images; expected files, folders or arrays.")
    return ArrayImages(arrays, image_size, num_channels)


def _split(array: np.ndarray) -> list[np.ndarray]:
    """The images of one array."""
    is_batch = array.ndim == 4 or (array.ndim == 3 and array.shape[2] not in CHANNELS)
    return [_checked(index, one) for index, one in enumerate(array if is_batch else [array])]


def _checked(index: int, image: Any) -> np.ndarray:
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f"Expected either files and folders or arrays, got arrays and {image!r} (position "
            f"{index})."
        )
    if image.dtype != np.uint8:
        raise ValueError(
            f"Image {index}: expected uint8 pixels in 0…255, got {image.dtype}. Images in [0, 1] "
            "are converted by `(255 * images).round().astype('uint8')`."
        )
    grey_or_rgb = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in CHANNELS)
    if not grey_or_rgb or not image.size:
        raise ValueError(
            f"Image {index}: expected the shape (H, W), (H, W, 1) or (H, W, 3), got {image.shape}."
        )
    return image
