"""Resizing: how an image becomes a square, and where a map of this square lies in the image."""

from typing import Literal

import cv2
import numpy as np
from PIL import Image

Resize = Literal["squeeze", "crop", "pad"]
MAX_BILINEAR = 3.0  # shrinking by a larger factor, bilinear interpolation skips pixels


def to_square(image: np.ndarray, size: int, how: Resize, smooth: bool = False) -> np.ndarray:
    """Resize an image (H, W, C) to a square.

    Args:
        image: uint8.
        size: Side of the square in pixels.
        how: `squeeze` changes the proportions; `crop` keeps the square in the middle; `pad` keeps
            all of the image, between two black bars.
        smooth: See `resize`.
    """
    height, width, _ = image.shape
    if how == "squeeze" or height == width:
        return resize(image, size, smooth=smooth)
    if how == "crop":
        rows, columns = _middle(height, width, min(height, width))
        return resize(image[rows, columns], size, smooth=smooth)
    longer = max(height, width)
    inner_size = [max(1, round(side * size / longer)) for side in (height, width)]
    inner = resize(image, *inner_size, smooth=smooth)
    square = np.zeros((size, size, image.shape[2]), image.dtype)
    rows, columns = _middle(size, size, inner.shape[0], inner.shape[1])
    square[rows, columns] = inner
    return square


def onto_image(map_: np.ndarray, height: int, width: int, how: Resize) -> np.ndarray:
    """Lay a map of the square that a network saw over the image: the inverse of `to_square`.

    Args:
        map_: (h, w), float.
        height: Of the image, in pixels.
        width: Of the image.
        how: As the image was resized.

    Returns:
        (height, width); zero where the network did not see the image.
    """
    if how == "squeeze" or height == width:
        return _scaled(map_, height, width)
    if how == "crop":
        side = min(height, width)
        whole = np.zeros((height, width), np.float32)
        whole[_middle(height, width, side)] = _scaled(map_, side, side)
        return whole
    longer = max(height, width)
    return _scaled(map_, longer, longer)[_middle(longer, longer, height, width)]


def resize(
    image: np.ndarray, height: int, width: int | None = None, smooth: bool = False
) -> np.ndarray:
    """Squeeze an image (H, W, C) to a height and width; without a width, into a square.

    To shrink it, areas are first averaged by a whole factor, and the rest is interpolated
    bilinearly: six times faster than averaging areas of fractional size, which is used only for
    panoramas. Enlarging is bicubic.

    Args:
        image: uint8.
        height: In pixels.
        width: In pixels; None for the height.
        smooth: Whether to take Pillow's filter instead, whose time does not count beside that of
            decoding a large photograph.
    """
    width = height if width is None else width
    rows, columns, channels = image.shape
    if (rows, columns) == (height, width):
        return image
    if smooth:
        picture = Image.fromarray(image.squeeze(2) if channels == 1 else image)
        resized = picture.resize((width, height), Image.Resampling.BILINEAR)
        return np.array(resized).reshape(height, width, channels)
    if (factor := min(rows // height, columns // width)) > 1:
        whole = image[: rows - rows % factor, : columns - columns % factor]
        target = (columns // factor, rows // factor)
        image = cv2.resize(whole, target, interpolation=cv2.INTER_AREA)
    method = cv2.INTER_LINEAR
    if max(image.shape[0] / height, image.shape[1] / width) > MAX_BILINEAR:
        method = cv2.INTER_AREA
    elif rows < height or columns < width:
        method = cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=method)
    return resized.reshape(height, width, channels)  # OpenCV drops a single channel


def fingerprint_of(how: Resize) -> bytes:
    """What it adds to the digest of a dataset: nothing for `squeeze`, as in earlier versions."""
    return b"" if how == "squeeze" else how.encode()


def _middle(height: int, width: int, rows: int, columns: int | None = None) -> tuple[slice, slice]:
    """The part of some rows and columns in the middle."""
    columns = rows if columns is None else columns
    top, left = (height - rows) // 2, (width - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def _scaled(map_: np.ndarray, height: int, width: int) -> np.ndarray:
    floats = map_.astype(np.float32)
    return cv2.resize(floats, (width, height), interpolation=cv2.INTER_LINEAR)
