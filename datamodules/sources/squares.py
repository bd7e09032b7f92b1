"""Square images of one size, from files: the one place where training and evaluation read them."""

from pathlib import Path

import numpy as np

from datamodules.sources.decode import decode
from datamodules.sources.image_limits import read_file
from datamodules.sources.jpeg import JPEG_START, read_jpeg_header
from datamodules.sources.jpeg_pixels import jpeg_pixels
from datamodules.sources.resizing import Resize, to_square

READING = 2  # another number: caches of decoded images are computed again


def read_square(file: Path | str, size: int, num_channels: int, how: Resize) -> np.ndarray:
    """Decode and resize an image file; see `decode_square`.

    Raises:
        UnreadableImageError: If it cannot be read.
    """
    return decode_square(read_file(file), size, num_channels, how, str(file))


def decode_square(data: bytes, size: int, num_channels: int, how: Resize, name: str) -> np.ndarray:
    """Decode and resize an image, from the bytes of a file.

    A JPEG file is decoded at a half, a quarter or an eighth of its size if this leaves at least as
    many pixels as the square has, and then shrunk with Pillow's filter: 4000 x 3000 pixels take a
    third of the time. A side that is no multiple of the factor moves the far edge by less than a
    pixel of the square, as whole factors in `resize` do.

    Args:
        data: The content of the file.
        size: Side of the square in pixels.
        num_channels: 1 for grey, 3 for RGB.
        how: See `to_square`.
        name: Name of the file, for messages.

    Returns:
        uint8, (size, size, num_channels).

    Raises:
        UnreadableImageError: If it cannot be read.
    """
    if not data.startswith(JPEG_START) or (header := read_jpeg_header(data)) is None:
        return to_square(decode(data, num_channels, name), size, how)
    factor = reduction(header.width, header.height, size, how)
    image = jpeg_pixels(data, header, num_channels, name, factor)
    return to_square(image, size, how, smooth=factor > 1)


def reduction(width: int, height: int, size: int, how: Resize) -> int:
    """The largest factor of 8, 4, 2 and 1 by which an image can be reduced before it is resized."""
    side = max(width, height) if how == "pad" else min(width, height)
    return next((factor for factor in (8, 4, 2) if side // factor >= size), 1)
