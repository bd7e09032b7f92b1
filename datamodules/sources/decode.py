"""Decode one image file, or find what is wrong with it."""

import io
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from datamodules.names import is_text, shown
from datamodules.sources.colours import is_needed, pixels_in_srgb
from datamodules.sources.file_kinds import BYTES, HEIF_EXTENSIONS, HEIF_EXTRA, kind_of
from datamodules.sources.image_limits import (
    LIMIT,
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
)
from datamodules.sources.numbers import MALFORMED
from datamodules.sources.pillow_images import TIFF_STARTS, other_tiff, pillow_pixels
from datamodules.sources.quiet_decoders import quiet

EXTENSIONS = {
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}
PNG_END = b"IEND\xaeB`\x82"
GIF_FRAME, GIF_END = 0x2C, 0x3B
BY_OPENCV = ("PNG", "WEBP", "BMP", "DIB")  # faster, unless they have a profile or transparency
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


@cache
def can_read_heif() -> bool:
    """Whether the package of the extra `heif` is installed; then Pillow uses it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


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
    if (image := _header(io.BytesIO(data), name)) is None:
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
        return pillow_pixels(image, num_channels, name)


def check_file(file: Path) -> Check:
    """Look at a file as decoding would: a JPEG by its markers, in 0.1 ms; others are decoded."""
    if not is_text(str(file)):
        text = "its name is not UTF-8, perhaps from an old zip file: rename it, for example with"
        return Check(f"{shown(str(file))}: {text} `convmv -f latin1 -t utf8 -r --notest FOLDER`.")
    try:
        return _check(read_file(file), str(file))
    except UnreadableImageError as error:
        return Check(str(error))


def file_complaint(file: Path) -> str | None:
    """What is wrong with a file; None if it can be read. See `check_file`."""
    return check_file(file).fault or None


def is_cut_off(data: bytes) -> bool:
    """Whether the end of a JPEG, PNG, WebP or GIF file is missing; decoders fill it silently."""
    if data.startswith(JPEG_START):
        return jpeg_fault(data, read_jpeg_header(data)) is not None
    if data.startswith(b"\x89PNG"):
        return PNG_END not in data
    if data.startswith(b"RIFF"):
        return len(data) < int.from_bytes(data[4:8], "little")
    return data.startswith(b"GIF8") and not _has_gif_end(data)


def _check(data: bytes, name: str) -> Check:
    if data.startswith(JPEG_START) and (size := jpeg_size(data)):
        header = read_jpeg_header(data)
        _check_jpeg(data, size, header, name)
        if header and header.is_usual and is_one_scan(data, header):
            _by_opencv(probe(data, header), 1, name)
            return Check()
        decode(data, 3, name)
        return Check()
    return Check("", bool(decode(data, 3, name).max() <= NEARLY_BLACK))


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
        if (image := _header(io.BytesIO(data), name)) is not None:
            return pillow_pixels(image, num_channels, name)
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
        raise UnreadableImageError(f"{name} is broken: its pixels cannot be read.")
    if factor > 1 and num_channels == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return image.reshape(*image.shape[:2], num_channels)


def _header(stream: BinaryIO, name: str) -> Image.Image | None:
    """The opened image; None for a kind of TIFF that Pillow does not know."""
    start = stream.read(BYTES)
    if not start:
        raise UnreadableImageError(f"{name} is empty: it has no bytes.")
    stream.seek(0)
    can_read_heif()
    if Image.MAX_IMAGE_PIXELS is not None:  # else Pillow would refuse images that ours allows
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels())
    try:
        header = Image.open(stream)
    except Image.DecompressionBombError:
        many = f"{name} has more than {max_pixels():,} pixels; {LIMIT} raises the limit."
        raise UnreadableImageError(many) from None
    except MALFORMED as error:
        if start.startswith(TIFF_STARTS):
            return None
        raise UnreadableImageError(_not_an_image(start, name, error)) from error
    check_pixels(*header.size, name)
    return header


def _not_an_image(start: bytes, name: str, error: BaseException) -> str:
    """What the file is instead; Pillow's message names a Python object, which helps nobody."""
    kind = kind_of(start)
    if kind == "a HEIF image" and not can_read_heif():
        return f"{name} is a HEIF image, which needs a package: {HEIF_EXTRA}."
    if kind.endswith(" image") and Path(name).suffix.lower() in EXTENSIONS | HEIF_EXTENSIONS:
        kind = f"{kind} of a kind that cannot be read, or damaged"
    if kind:
        return f"{name} is not an image that can be read: it is {kind}."
    reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
    return f"{name} is not an image that can be read{reason}."


def _has_gif_end(data: bytes) -> bool:
    """Whether the blocks of a GIF file lead to its last byte."""
    place = 13 + _gif_colours(data, 10)
    while place < len(data) and data[place] != GIF_END:
        is_frame = data[place] == GIF_FRAME
        place += 11 + _gif_colours(data, place + 9) if is_frame else 2
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return place < len(data)


def _gif_colours(data: bytes, place: int) -> int:
    """Bytes of the colour table that the flags at this place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & 128 else 0
