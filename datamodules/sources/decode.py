"""Decode one image file, or find what is wrong with it."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datamodules.names import is_text, shown
from datamodules.sources.colours import is_needed
from datamodules.sources.cut_off import is_cut_off
from datamodules.sources.image_limits import (
    UnreadableImageError,
    jpeg_size,
    read_file,
)
from datamodules.sources.jpeg import JPEG_START, read_jpeg_header
from datamodules.sources.jpeg_pixels import check_jpeg, is_sound, jpeg_pixels
from datamodules.sources.open_image import open_image
from datamodules.sources.opencv_images import opencv_pixels
from datamodules.sources.pillow_images import pillow_pixels
from datamodules.sources.tiff_images import is_misread, other_tiff

EXTENSIONS = {
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}
BY_OPENCV = ("PNG", "WEBP")  # faster, unless they have a profile or transparency
NEARLY_BLACK = 15  # the brightest level of 12 bits in a file of 16, and of numbers 0 and 1


class Check(NamedTuple):
    """What a check of a file found.

    Attributes:
        fault: Why the file cannot be read; empty if it can.
        is_dark: Whether no pixel is brighter than `NEARLY_BLACK`; False for JPEG files.
        ends_only: Whether only the first and last bytes were read, which were good.
    """

    fault: str = ""
    is_dark: bool = False
    ends_only: bool = False


GOOD = Check()


def read_image(file: Path, num_channels: int) -> np.ndarray:
    """Decode the first frame of a file, upright, in sRGB, with transparent parts white.

    A JPEG file of more than `max_pixels` is decoded at a half, a quarter or an eighth of its size.

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
    if data.startswith(JPEG_START) and (header := read_jpeg_header(data)):
        return jpeg_pixels(data, header, num_channels, name)
    if data.startswith(JPEG_START) and (size := jpeg_size(data)):
        check_jpeg(data, size, None, name)
    if not data.startswith(JPEG_START) and is_cut_off(data):
        raise UnreadableImageError(f"{name} is truncated: its end is missing.")
    image = open_image(io.BytesIO(data), name)
    if image is None or is_misread(image):
        return other_tiff(data, num_channels, name)
    with image:
        info = image.info
        if (
            image.format in BY_OPENCV
            and not image.has_transparency_data  # OpenCV would show hidden colours
            and "exif" not in info
            and not any(is_needed(info.get("icc_profile", b""), mode) for mode in ("L", "RGB"))
        ):
            return opencv_pixels(data, num_channels, name)
        return pillow_pixels(image, data, num_channels, name)


def check_file(file: Path | str) -> Check:
    """Look at a file as decoding would: a usual JPEG by its markers; others are decoded."""
    if not is_text(name := str(file)):
        text = "its name is not UTF-8, perhaps from an old zip file: rename it, for example with"
        return Check(f"{shown(name)}: {text} `convmv -f latin1 -t utf8 -r --notest FOLDER`.")
    try:
        data = read_file(file)
    except UnreadableImageError as error:
        return Check(str(error))
    return check_data(data, name)


def check_data(data: bytes, name: str) -> Check:
    """As `check_file`, from the bytes of a file; errors call it `name`."""
    if is_sound(data):
        return GOOD
    try:
        is_dark = decode(data, 3, name).max() <= NEARLY_BLACK
    except UnreadableImageError as error:
        return Check(str(error))
    return Check("", bool(is_dark) and not data.startswith(JPEG_START))


def file_complaint(file: Path) -> str | None:
    """What is wrong with a file; None if it can be read. See `check_file`."""
    return check_file(file).fault or None
