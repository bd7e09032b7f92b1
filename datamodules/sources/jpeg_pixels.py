"""Pixels of JPEG files, which may be decoded at a half, a quarter or an eighth of their size."""

import io
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

from datamodules.sources.colours import is_needed, pixels_in_srgb
from datamodules.sources.image_limits import (
    POSSIBLE,
    UnreadableImageError,
    check_pixels,
    max_pixels,
)
from datamodules.sources.jpeg import (
    JPEG_START,
    LAST,
    PROGRESSIVE,
    JpegHeader,
    bytes_of_one_scan,
    jpeg_fault,
    probe,
    read_jpeg_header,
)
from datamodules.sources.numbers import MALFORMED
from datamodules.sources.open_image import open_image
from datamodules.sources.opencv_images import REDUCED, opencv_pixels
from datamodules.sources.pillow_images import pillow_pixels

SIGNATURE = JPEG_START + b"\xff"  # by which OpenCV knows a JPEG
PROBES = 4096  # tables of an encoder that are remembered: a dataset has few


def jpeg_pixels(
    data: bytes, header: JpegHeader, num_channels: int, name: str, factor: int = 1
) -> np.ndarray:
    """The pixels of a JPEG file, uint8 (H, W, num_channels), upright, in sRGB.

    Args:
        data: The content of the file.
        header: Its header.
        num_channels: 1 for grey, 3 for RGB.
        name: Name of the file, for messages.
        factor: By what it is reduced: 1, 2, 4 or 8; more if it has more than `max_pixels`.

    Raises:
        UnreadableImageError: If it is truncated, too large, or cannot be decoded.
    """
    size = header.width, header.height
    check_jpeg(data, size, header, name)
    if header.channels == 4 and header.profile:  # printing colours, as the profile describes them
        check_pixels(*size, name)
        if (image := open_image(io.BytesIO(data), name)) is not None:
            return pillow_pixels(image, data, num_channels, name)
    factor = max(factor, _factor(size, header))
    mode = {1: "L", 3: "RGB"}.get(header.channels)
    if mode is None or not is_needed(header.profile, mode):
        return opencv_pixels(data, num_channels, name, factor)
    own = opencv_pixels(data, header.channels, name, factor)
    pixels = pixels_in_srgb(own, header.profile)
    return pixels if num_channels == 3 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]


def check_jpeg(data: bytes, size: tuple[int, int], header: JpegHeader | None, name: str) -> None:
    """Refuse a JPEG file that is cut off, or that even an eighth of its size makes too large.

    Raises:
        UnreadableImageError: If it is so.
    """
    fault = jpeg_fault(data, header)
    if not _factor(size, header) or (fault and size[0] * size[1] > max_pixels()):
        check_pixels(*size, name)
    if fault:
        raise UnreadableImageError(f"{name} {fault}.")


def is_sound(data: bytes) -> bool:
    """Whether a file is a usual JPEG that can be decoded, by its tables and the end of its pixels.

    Args:
        data: The content of the file.

    Returns:
        False also means that only decoding tells.
    """
    if not data.startswith(SIGNATURE) or (header := read_jpeg_header(data)) is None:
        return False
    coded = bytes_of_one_scan(data, header)
    return coded is not None and _is_usable(data, header, coded)


def has_sound_ends(head: bytes, tail: bytes, num_bytes: int) -> bool:
    """As `is_sound`, from the ends of a file: whatever is between them counts as coded pixels.

    Args:
        head: Its first bytes.
        tail: Its last two bytes.
        num_bytes: Its size.
    """
    if not head.startswith(SIGNATURE) or tail != LAST or (header := read_jpeg_header(head)) is None:
        return False
    return _is_usable(head, header, num_bytes - header.pixels_at - len(tail))


def _is_usable(head: bytes, header: JpegHeader, coded: int) -> bool:
    """Whether a file that begins so, and has so many bytes of pixels, is decoded."""
    size = header.width, header.height
    return (
        header.is_usual
        and min(size) > 0
        and _factor(size, header) > 0
        and header.has_pixels(coded)
        and _can_be_used(probe(head, header))
    )


@lru_cache(PROBES)
def _can_be_used(tables: bytes) -> bool:
    """Whether a tiny JPEG file is decoded; Pillow prints no warning about it."""
    try:
        Image.open(io.BytesIO(tables), formats=["JPEG"]).load()
    except MALFORMED:
        return False
    return True


def _factor(size: tuple[int, int], header: JpegHeader | None) -> int:
    """By what a JPEG has to be reduced while it is decoded; 0 if nothing helps."""
    pixels, limit = size[0] * size[1], max_pixels()
    if pixels <= limit:
        return 1
    # A progressive one is decoded in memory before it is reduced.
    if header is None or pixels > POSSIBLE or (header.kind == PROGRESSIVE and pixels > 2 * limit):
        return 0
    return next((f for f in REDUCED if -(-size[0] // f) * -(-size[1] // f) <= limit), 0)
