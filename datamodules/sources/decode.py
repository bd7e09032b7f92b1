"""Decode one image file, or find what is wrong with it."""

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from datamodules.sources.image_limits import (
    LIMIT,
    UnreadableImageError,
    check_pixels,
    jpeg_size,
    max_pixels,
    missing,
    open_file,
    read_file,
)
from datamodules.sources.quiet_decoders import quiet

EXTENSIONS = {
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}
# Errors of Pillow for malformed files; its AVIF decoder raises RuntimeError.
MALFORMED = (OSError, SyntaxError, ValueError, TypeError, EOFError, RuntimeError, struct.error)
BACKGROUND = (255, 255, 255)  # behind transparent parts

JPEG_START, JPEG_END, PNG_END = b"\xff\xd8", b"\xff\xd9", b"IEND\xaeB`\x82"


def read_image(file: Path, num_channels: int) -> np.ndarray:
    """Decode the first frame of a file, rotated by its EXIF data, with transparent parts white.

    Args:
        file: An image with one of `EXTENSIONS`, or anything else that OpenCV and Pillow read.
        num_channels: 1 for grey, 3 for RGB; the image is converted if need be.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        UnreadableImageError: If the file is missing, empty, not an image, truncated, or larger than
            `max_pixels`.
    """
    return decode(read_file(file), num_channels, str(file))


def decode(data: bytes, num_channels: int, name: str) -> np.ndarray:
    """As `read_image`, from the bytes of a file; errors call it `name`."""
    if is_cut_off(data):
        raise UnreadableImageError(f"{name} is truncated: its end is missing.")
    # JPEGs are never transparent, and Pillow takes 3 % of the decoding to read their headers.
    if data.startswith(JPEG_START) and (size := jpeg_size(data)):
        check_pixels(*size, name)
    else:
        with _header(io.BytesIO(data), name) as header:
            if header.has_transparency_data:  # OpenCV would show hidden colours
                return _flatten(header, num_channels, name)
    flags = cv2.IMREAD_GRAYSCALE if num_channels == 1 else cv2.IMREAD_COLOR_RGB
    try:
        with quiet():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise UnreadableImageError(f"{name} is broken: its pixels cannot be read.")
    return image.reshape(*image.shape[:2], num_channels)


def file_complaint(file: Path) -> str | None:
    """What is wrong with a file, from its header and its end; this takes 60 microseconds."""
    try:
        with open_file(file) as stream, _header(stream, str(file)):
            stream.seek(-min(len(PNG_END), stream.seek(0, os.SEEK_END)), os.SEEK_END)
            ends_well = stream.read().endswith((JPEG_END, PNG_END))
        cut_off = not ends_well and is_cut_off(read_file(file))
    except OSError as error:
        return missing(file, error)
    except UnreadableImageError as error:
        return str(error)
    return f"{file} is truncated: its end is missing." if cut_off else None


def is_cut_off(data: bytes) -> bool:
    """Whether the end of a JPEG, PNG or WebP file is missing; decoders fill it silently."""
    if data.endswith((JPEG_END, PNG_END)):
        return False
    if data.startswith(JPEG_START):  # the end has to follow the start of the last scan
        return data.rfind(JPEG_END) < data.rfind(b"\xff\xda")
    if data.startswith(b"\x89PNG"):
        return PNG_END not in data
    if data.startswith(b"RIFF"):
        return len(data) < int.from_bytes(data[4:8], "little")
    return False


def _header(stream: BinaryIO, name: str) -> Image.Image:
    if not stream.read(1):
        raise UnreadableImageError(f"{name} is empty: it has no bytes.")
    stream.seek(0)
    if Image.MAX_IMAGE_PIXELS is not None:  # else Pillow would refuse images that ours allows
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels())
    try:
        header = Image.open(stream)
    except Image.DecompressionBombError:
        many = f"{name} has more than {max_pixels():,} pixels; {LIMIT} raises the limit."
        raise UnreadableImageError(many) from None
    except MALFORMED as error:
        # Pillow's message names a Python object, which does not help the user.
        reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
        raise UnreadableImageError(f"{name} is not an image that can be read{reason}.") from error
    check_pixels(*header.size, name)
    return header


def _flatten(image: Image.Image, num_channels: int, name: str) -> np.ndarray:
    """Put a partly transparent image on `BACKGROUND`."""
    try:
        picture = ImageOps.exif_transpose(image).convert("RGBA")
    except MALFORMED as error:
        raise UnreadableImageError(f"{name} is broken: {error}.") from error
    below = Image.new("RGBA", picture.size, BACKGROUND)
    flat = Image.alpha_composite(below, picture).convert("L" if num_channels == 1 else "RGB")
    return np.asarray(flat).reshape(*flat.size[::-1], num_channels)
