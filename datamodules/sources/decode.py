"""Decode one image file, or find what is wrong with it."""

import io
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from datamodules.names import is_text, shown
from datamodules.sources.colours import is_needed, pixels_in_srgb
from datamodules.sources.cut_off import is_cut_off
from datamodules.sources.image_limits import (
    POSSIBLE,
    UnreadableImageError,
    check_pixels,
    jpeg_size,
    max_pixels,
    read_file,
)
from datamodules.sources.jpeg import (
    JPEG_START,
    PROGRESSIVE,
    JpegHeader,
    is_one_scan,
    jpeg_fault,
    probe,
    read_jpeg_header,
    unread_jpeg,
)
from datamodules.sources.numbers import MALFORMED
from datamodules.sources.open_image import open_image
from datamodules.sources.pillow_images import pillow_pixels
from datamodules.sources.quiet_decoders import quiet
from datamodules.sources.tiff_images import is_misread, other_tiff

EXTENSIONS = {
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}
BY_OPENCV = ("PNG", "WEBP")  # faster, unless they have a profile or transparency
REDUCED = {  # OpenCV's flags, by the factor of libjpeg that is applied while decoding
    2: (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2),
    4: (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4),
    8: (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8),
}
NEARLY_BLACK = 15  # the brightest level of 12 bits in a file of 16, and of numbers 0 and 1


class Check(NamedTuple):
    """What a check of a file found.

    Attributes:
        fault: Why the file cannot be read; empty if it can.
        is_dark: Whether no pixel is brighter than `NEARLY_BLACK`; unknown for JPEG files.
    """

    fault: str = ""
    is_dark: bool = False


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
    if data.startswith(JPEG_START) and (size := jpeg_size(data)):
        header = read_jpeg_header(data)
        _check_jpeg(data, size, header, name)
        return _decode_jpeg(data, size, header, num_channels, name)
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
            and not is_needed(info.get("icc_profile", b""))
        ):
            return _by_opencv(data, num_channels, name)
        return pillow_pixels(image, data, num_channels, name)


def check_file(file: Path) -> Check:
    """Look at a file as decoding would: a JPEG by its markers, in 0.1 ms; others are decoded."""
    if not is_text(str(file)):
        text = "its name is not UTF-8, perhaps from an old zip file: rename it, for example with"
        return Check(f"{shown(str(file))}: {text} `convmv -f latin1 -t utf8 -r --notest FOLDER`.")
    try:
        data = read_file(file)
    except UnreadableImageError as error:
        return Check(str(error))
    return check_data(data, str(file))


def check_data(data: bytes, name: str) -> Check:
    """As `check_file`, from the bytes of a file; errors call it `name`."""
    try:
        return _check(data, name)
    except UnreadableImageError as error:
        return Check(str(error))


def file_complaint(file: Path) -> str | None:
    """What is wrong with a file; None if it can be read. See `check_file`."""
    return check_file(file).fault or None


def _check(data: bytes, name: str) -> Check:
    if data.startswith(JPEG_START) and (size := jpeg_size(data)):
        header = read_jpeg_header(data)
        _check_jpeg(data, size, header, name)
        if not (
            header and header.is_usual and is_one_scan(data, header) and _is_sound(header, data)
        ):
            decode(data, 3, name)
        return Check()
    return Check("", bool(decode(data, 3, name).max() <= NEARLY_BLACK))


def _is_sound(header: JpegHeader, data: bytes) -> bool:
    """Whether the tables of a JPEG file can be used; Pillow prints no warning about a tiny one."""
    try:
        Image.open(io.BytesIO(probe(data, header)), formats=["JPEG"]).load()
    except MALFORMED:
        return False
    return True


def _check_jpeg(data: bytes, size: tuple[int, int], header: JpegHeader | None, name: str) -> None:
    """Refuse a JPEG file that is cut off, or that even an eighth of its size makes too large."""
    fault = jpeg_fault(data, header)
    if not _factor(size, header) or (fault and size[0] * size[1] > max_pixels()):
        check_pixels(*size, name)
    if fault:
        raise UnreadableImageError(f"{name} {fault}.")


def _factor(size: tuple[int, int], header: JpegHeader | None) -> int:
    """By what a JPEG has to be reduced while it is decoded; 0 if nothing helps."""
    pixels, limit = size[0] * size[1], max_pixels()
    if pixels <= limit:
        return 1
    # A progressive one is decoded in memory before it is reduced.
    if header is None or pixels > POSSIBLE or (header.kind == PROGRESSIVE and pixels > 2 * limit):
        return 0
    return next((f for f in REDUCED if -(-size[0] // f) * -(-size[1] // f) <= limit), 0)


def _decode_jpeg(
    data: bytes, size: tuple[int, int], header: JpegHeader | None, num_channels: int, name: str
) -> np.ndarray:
    assert header is not None  # `_check_jpeg` refuses it
    if header.channels == 4 and header.profile:  # printing colours, as the profile describes them
        check_pixels(*size, name)
        if (image := open_image(io.BytesIO(data), name)) is not None:
            return pillow_pixels(image, data, num_channels, name)
    factor = _factor(size, header)
    if header.channels != 3 or not is_needed(header.profile):
        return _by_opencv(data, num_channels, name, factor)
    pixels = pixels_in_srgb(_by_opencv(data, 3, name, factor), header.profile)
    return pixels if num_channels == 3 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]


def _by_opencv(data: bytes, num_channels: int, name: str, factor: int = 1) -> np.ndarray:
    flags = cv2.IMREAD_GRAYSCALE if num_channels == 1 else cv2.IMREAD_COLOR_RGB
    if factor > 1:
        flags = REDUCED[factor][num_channels == 3]
    try:
        with quiet():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise UnreadableImageError(f"{name} {unread_jpeg(data)}: its pixels cannot be read.")
    if factor > 1 and num_channels == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return image.reshape(*image.shape[:2], num_channels)
