"""Decode one image file, or find what is wrong with it."""

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

EXTENSIONS = {
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}
MAX_PIXELS = 100_000_000  # a 49 KB file can decode to 2.7 GB, so the header is read first
# Errors of Pillow for malformed files; its AVIF decoder raises RuntimeError.
MALFORMED = (OSError, SyntaxError, ValueError, TypeError, EOFError, RuntimeError, struct.error)
BACKGROUND = (255, 255, 255)  # behind transparent parts

JPEG_START, JPEG_END, PNG_END = b"\xff\xd8", b"\xff\xd9", b"IEND\xaeB`\x82"
# A block of 64 pixels takes at least a bit, so that a file of this size cannot decode to more than
# MAX_PIXELS. JPEGs are never transparent. Not reading their header saves 3 % of the decoding.
HARMLESS_JPEG = MAX_PIXELS // 512


class UnreadableImageError(ValueError):
    """An image that cannot be read; the message names the file and the reason."""


def read_image(file: Path, num_channels: int) -> np.ndarray:
    """Decode the first frame of a file, rotated by its EXIF data, with transparent parts white.

    Args:
        file: An image with one of `EXTENSIONS`, or anything else that OpenCV and Pillow read.
        num_channels: 1 for grey, 3 for RGB; the image is converted if need be.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        UnreadableImageError: If the file is missing, empty, not an image, truncated, or larger than
            `MAX_PIXELS`.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnreadableImageError(_missing(file, error)) from None
    return decode(data, num_channels, str(file))


def decode(data: bytes, num_channels: int, name: str) -> np.ndarray:
    """As `read_image`, from the bytes of a file; errors call it `name`."""
    if is_cut_off(data):
        raise UnreadableImageError(f"{name} is truncated: its end is missing.")
    if not (data.startswith(JPEG_START) and len(data) < HARMLESS_JPEG):
        with _header(io.BytesIO(data), name) as header:
            if header.has_transparency_data:  # OpenCV would show hidden colours
                return _flatten(header, num_channels, name)
    flags = cv2.IMREAD_GRAYSCALE if num_channels == 1 else cv2.IMREAD_COLOR_RGB
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise UnreadableImageError(f"{name} is broken: its pixels cannot be read.")
    return image.reshape(*image.shape[:2], num_channels)


def file_complaint(file: Path) -> str | None:
    """What is wrong with a file, from its header and its end; this takes 60 microseconds."""
    try:
        with file.open("rb") as stream, _header(stream, str(file)):
            stream.seek(-min(len(PNG_END), stream.seek(0, os.SEEK_END)), os.SEEK_END)
            ends_well = stream.read().endswith((JPEG_END, PNG_END))
        cut_off = not ends_well and is_cut_off(file.read_bytes())
    except OSError as error:
        return _missing(file, error)
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
    try:
        header = Image.open(stream)
    except (Image.DecompressionBombError, *MALFORMED) as error:
        # Pillow's message names a Python object, which does not help the user.
        reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
        raise UnreadableImageError(f"{name} is not an image that can be read{reason}.") from error
    width, height = header.size
    if width * height > MAX_PIXELS:
        raise UnreadableImageError(
            f"{name} has {width} x {height} pixels, more than {MAX_PIXELS:,}."
        )
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


def _missing(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"There is no image file {file}."
    return f"{file} cannot be read: {error.strerror}."
