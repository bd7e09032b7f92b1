"""One image in memory, checked and as an array."""

from typing import Any

import numpy as np
from PIL import Image, ImageOps

CHANNELS = (1, 3)  # grey, RGB
PLANES = (1, 3, 4)  # channels that an image of another library may have in front
DEEP = ("F", "I")  # Pillow's modes of more than 8 bits, and their variants
BACKGROUND = (255, 255, 255)  # behind transparent parts, as for files


def split_array(array: np.ndarray) -> list[np.ndarray]:
    """The images of one array, which is an image or a batch.

    Raises:
        ValueError: If its type or shape is not that of images, or could mean two layouts.
    """
    if array.ndim == 3 and array.size and (hint := _other_layout(array.shape)):
        raise ValueError(
            "Expected an image (H, W), (H, W, 1) or (H, W, 3), or a batch (N, H, W), (N, H, W, 1) "
            f"or (N, H, W, 3), got {array.shape}. {hint}"
        )
    is_batch = array.ndim == 4 or (array.ndim == 3 and array.shape[2] not in CHANNELS)
    return [as_pixels(index, one) for index, one in enumerate(array if is_batch else [array])]


def as_pixels(index: int, image: Any) -> np.ndarray:
    """An image as uint8, (H, W), (H, W, 1) or (H, W, 3).

    Args:
        index: Its position, for messages.
        image: An array or a PIL image.

    Raises:
        ValueError: If it is something else, or has another type or shape.
    """
    if isinstance(image, Image.Image):
        return _converted(index, image)
    if isinstance(image, str) or hasattr(image, "__fspath__"):
        raise ValueError(
            f"Expected either files and folders or arrays, got arrays and {str(image)!r} (position "
            f"{index})."
        )
    if not isinstance(image, np.ndarray):
        raise ValueError(
            "Expected files, folders, PIL images or uint8 arrays, got "
            f"{'None' if image is None else type(image).__name__}."
        )
    if image.dtype != np.uint8:
        raise ValueError(
            f"Image {index}: expected uint8 pixels in 0…255, got {image.dtype}. Images in [0, 1] "
            "are converted by `(255 * images).round().astype('uint8')`."
        )
    _check_shape(index, image)
    return image


def _check_shape(index: int, image: np.ndarray) -> None:
    grey_or_rgb = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in CHANNELS)
    if not grey_or_rgb or not image.size:
        hint = _other_layout(image.shape) if image.ndim == 3 else ""
        raise ValueError(
            f"Image {index}: expected the shape (H, W), (H, W, 1) or (H, W, 3), got {image.shape}. "
            f"{hint}".strip()
        )


def _other_layout(shape: tuple[int, ...]) -> str:
    """What to do with an image that has an alpha channel, or its channels in front."""
    if shape[2] == 4:
        return "If it is RGBA, drop the alpha channel: `image[..., :3]`."
    if shape[0] in PLANES and shape[2] > 4:
        kept = "[:3]" if shape[0] == 4 else ""
        return (
            f"If its channels come first, transpose it: `image{kept}.transpose(1, 2, 0)`; a batch "
            f"of {shape[0]} grey needs an axis more: `images[..., None]`."
        )
    return ""


def _converted(index: int, image: Image.Image) -> np.ndarray:
    """Pixels of a PIL image, rotated by its EXIF data, with transparent parts white."""
    if image.mode.startswith(DEEP):
        raise ValueError(
            f"Image {index}: expected 8 bits per channel, got a PIL image of mode {image.mode!r}."
        )
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        picture = upright.convert("RGBA")
        below = Image.new("RGBA", picture.size, BACKGROUND)
        upright = Image.alpha_composite(below, picture)
    pixels = np.array(upright.convert("L" if upright.mode in ("1", "L") else "RGB"))
    _check_shape(index, pixels)
    return pixels
