"""Images as the input of an exported network, with NumPy and Pillow only.

It does what the training's reader does with OpenCV, and can be shipped with an exported network.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from models.export.image_file import UnreadableImage, check_size, read_reduced

MAX_BILINEAR = 3.0  # shrinking by a larger factor, bilinear interpolation skips pixels
CUBIC = -0.75  # OpenCV's parameter of bicubic interpolation


def image_input(
    image: bytes | str | Path | np.ndarray, image_size: int, num_channels: int, resize: str
) -> np.ndarray:
    """An image as a network takes it.

    Args:
        image: The content of an image file; its path; or uint8 pixels, (H, W), (H, W, 1) or
            (H, W, 3).
        image_size: Side in pixels of the square that the network takes.
        num_channels: 1 for grey, 3 for RGB.
        resize: `squeeze`, `crop` or `pad`; see `to_square`.

    Returns:
        uint8, (num_channels, image_size, image_size).

    Raises:
        UnreadableImage: If the image cannot be read, or has more than `MAX_PIXELS`.
    """
    if isinstance(image, np.ndarray):
        square = to_square(_with_channels(image, num_channels), image_size, resize)
    else:
        square = read_square(image, num_channels, image_size, resize)
    return np.ascontiguousarray(square.transpose(2, 0, 1))


def read_square(
    image: bytes | str | Path, num_channels: int, image_size: int, resize: str
) -> np.ndarray:
    """Read a file and resize it to a square, uint8 (image_size, image_size, num_channels)."""
    pixels, is_reduced = read_reduced(image, num_channels, image_size, resize)
    return to_square(pixels, image_size, resize, is_reduced)


def _with_channels(pixels: np.ndarray, num_channels: int) -> np.ndarray:
    """Pixels as uint8, (H, W, num_channels), from (H, W), (H, W, 1) or (H, W, 3)."""
    is_grey = pixels.ndim == 2
    if pixels.dtype != np.uint8 or not (
        is_grey or (pixels.ndim == 3 and pixels.shape[2] in (1, 3))
    ):
        raise UnreadableImage(
            "Expected uint8 pixels in 0…255, (H, W), (H, W, 1) or (H, W, 3); got "
            f"{pixels.dtype} {pixels.shape}."
        )
    if not pixels.size:
        raise UnreadableImage("The image has no pixel.")
    pixels = pixels[..., None] if is_grey else pixels
    check_size(pixels.shape[1], pixels.shape[0])
    if pixels.shape[2] == num_channels:
        return pixels
    if num_channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def to_square(image: np.ndarray, size: int, how: str, smooth: bool = False) -> np.ndarray:
    """Resize an image, uint8 (H, W, C), to a square.

    `squeeze` changes the proportions; `crop` keeps the square in the middle; `pad` keeps all of the
    image, between two black bars. `smooth` takes Pillow's filter.
    """
    height, width, channels = image.shape
    if how == "squeeze" or height == width:
        return resized(image, size, size, smooth)
    if how == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return resized(image[top : top + side, left : left + side], size, size, smooth)
    rows, columns = (max(1, round(side * size / max(height, width))) for side in (height, width))
    square = np.zeros((size, size, channels), np.uint8)
    top, left = (size - rows) // 2, (size - columns) // 2
    square[top : top + rows, left : left + columns] = resized(image, rows, columns, smooth)
    return square


def resized(image: np.ndarray, height: int, width: int, smooth: bool = False) -> np.ndarray:
    """Resize an image, uint8 (H, W, C): block averages, then bilinear; enlarging is bicubic."""
    rows, columns, channels = image.shape
    if (rows, columns) == (height, width):
        return image
    if smooth:
        picture = Image.fromarray(image[..., 0] if channels == 1 else image)
        small = picture.resize((width, height), Image.Resampling.BILINEAR)
        return np.array(small).reshape(height, width, channels)
    if (factor := min(rows // height, columns // width)) > 1:
        image = _block_averages(image, factor)
    scales = image.shape[0] / height, image.shape[1] / width
    method = "linear"
    if max(scales) > MAX_BILINEAR:
        method = "area" if min(scales) >= 1 else "skipping"
    elif rows < height or columns < width:
        method = "cubic"
    down, across = _shares(image.shape[0], height, method), _shares(image.shape[1], width, method)
    floats = np.tensordot(down, image.astype(np.float32), (1, 0))
    floats = np.tensordot(across, floats, (1, 1)).transpose(1, 0, 2)
    return np.rint(floats).clip(0, 255).astype(np.uint8)


def _block_averages(image: np.ndarray, factor: int) -> np.ndarray:
    rows, columns, channels = (image.shape[0] // factor, image.shape[1] // factor, image.shape[2])
    whole = image[: rows * factor, : columns * factor]
    blocks = whole.reshape(rows, factor, columns, factor, channels)
    means = blocks.mean(axis=(1, 3), dtype=np.float32)
    # OpenCV rounds up halves of four pixels, and otherwise to the even number.
    return (np.floor(means + 0.5) if factor == 2 else np.rint(means)).astype(np.uint8)


def _shares(old: int, new: int, method: str) -> np.ndarray:
    """Shares, (new, old), of the pixels of a line in those of the resized line, as in OpenCV."""
    scale, targets = old / new, np.arange(new)
    if method == "area":
        starts, pixels = targets[:, None] * scale, np.arange(old)
        covered = np.minimum(starts + scale, pixels + 1) - np.maximum(starts, pixels)
        return (covered.clip(0, 1) / scale).astype(np.float32)
    if method == "skipping":  # OpenCV's area averaging if one side is enlarged
        first = np.floor(targets * scale)
        place = first + np.maximum(targets + 1 - (first + 1) / scale, 0) % 1
    else:
        place = (targets + 0.5) * scale - 0.5
    if method != "cubic":
        place = place.clip(0, old - 1)
    first = np.floor(place)
    rest = place - first
    taps = _cubic_taps(rest) if method == "cubic" else {0: 1 - rest, 1: rest}
    found = np.zeros((new, old), np.float32)
    for offset, share in taps.items():
        np.add.at(found, (targets, (first + offset).clip(0, old - 1).astype(int)), share)
    return found


def _cubic_taps(fraction: np.ndarray) -> dict[int, np.ndarray]:
    far, near = fraction + 1, 1 - fraction
    first = ((CUBIC * far - 5 * CUBIC) * far + 8 * CUBIC) * far - 4 * CUBIC
    second, third = (((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1 for x in (fraction, near))
    return {-1: first, 0: second, 1: third, 2: 1 - first - second - third}
