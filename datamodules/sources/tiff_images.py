"""TIFF images of numbers that Pillow does not read, or reads wrongly."""

import io

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from datamodules.sources.image_limits import (
    UnreadableImageError,
    UnsupportedImageError,
    check_pixels,
)
from datamodules.sources.numbers import MALFORMED, to_bytes
from datamodules.sources.quiet_decoders import quiet

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Tags of TIFF.
WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, OFFSETS = 256, 257, 258, 259, 262, 273
ORIENTATION, CHANNELS, COUNTS, PLANES, TILE, KIND = 274, 277, 279, 284, 322, 339
KINDS = {1: "whole numbers", 2: "signed whole numbers", 3: "floats", 5: "complex numbers"}
RAW, APART, WHITE_IS_0 = 1, 2, 0  # values of COMPRESSION, PLANES and COLOURS
BY_OPENCV = (5, 8, 32946)  # LZW and Deflate; of others, OpenCV makes black images

Tags = TiffImagePlugin.ImageFileDirectory_v2


def other_tiff(data: bytes, num_channels: int, name: str) -> np.ndarray:
    """Decode a kind of TIFF that Pillow does not know: colours in floats or whole numbers.

    Args:
        data: Content of the file.
        num_channels: 1 for grey, 3 for RGB.
        name: Name of the file, for messages.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        UnreadableImageError: If it is of a kind that is not read either; the message says which.
    """
    tags = _tags(data)
    if not {WIDTH, HEIGHT} <= tags.keys():
        raise UnreadableImageError(f"{name} is a damaged TIFF image: its header cannot be read.")
    check_pixels(_first(tags, WIDTH, 0), _first(tags, HEIGHT, 0), name)
    pixels = None
    if _first(tags, CHANNELS, 1) in (1, 3) and TILE not in tags:
        is_raw = _first(tags, COMPRESSION, RAW) == RAW
        pixels = _raw_pixels(data, tags, name) if is_raw else _by_opencv(data, tags)
    if pixels is None:
        raise UnsupportedImageError(
            f"{name} is {_tiff_kind(tags)}, which cannot be read. Save it with 8 bits per channel "
            "in one, three or four channels."
        )
    levels = to_bytes(pixels, name)
    levels = 255 - levels if _first(tags, COLOURS, 1) == WHITE_IS_0 else levels
    image = Image.fromarray(np.ascontiguousarray(levels)).convert(
        "L" if num_channels == 1 else "RGB"
    )
    return np.asarray(image).reshape(image.height, image.width, num_channels)


def is_misread(image: Image.Image) -> bool:
    """Whether Pillow reads wrong pixels: channels of 16 bits one after the other, uncompressed."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    tags = image.tag_v2
    is_apart = _first(tags, PLANES, 1) == APART and _first(tags, COMPRESSION, RAW) == RAW
    return is_apart and _first(tags, BITS, 1) > 8


def is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white; Pillow knows it of 8 bits only."""
    is_tiff = isinstance(image, TiffImagePlugin.TiffImageFile)
    return is_tiff and _first(image.tag_v2, COLOURS, 1) == WHITE_IS_0


def _raw_pixels(data: bytes, tags: Tags, name: str) -> np.ndarray | None:
    """Uncompressed numbers, (H, W) or (H, W, C), upright; None for numbers of odd sizes."""
    height, width = _first(tags, HEIGHT, 0), _first(tags, WIDTH, 0)
    channels, bits = _first(tags, CHANNELS, 1), _first(tags, BITS, 1)
    letter = {1: "u", 2: "i", 3: "f"}.get(_first(tags, KIND, 1))
    if letter is None or bits not in (8, 16, 32, 64):
        return None
    kind = np.dtype(f"{'<' if data[:2] == b'II' else '>'}{letter}{bits // 8}")
    places, sizes = tags.get(OFFSETS, ()), tags.get(COUNTS, ())
    content = b"".join(data[at : at + n] for at, n in zip(places, sizes, strict=False))
    count = height * width * channels
    if len(content) < count * kind.itemsize:
        raise UnreadableImageError(f"{name} is truncated: some of its pixels are missing.")
    numbers = np.frombuffer(content, kind, count)
    if _first(tags, PLANES, 1) == APART and channels > 1:
        pixels = numbers.reshape(channels, height, width).transpose(1, 2, 0)
    else:
        pixels = numbers.reshape(height, width, channels)
    pixels = pixels if channels > 1 else pixels[..., 0]
    return _upright(pixels, _first(tags, ORIENTATION, 1))


def _by_opencv(data: bytes, tags: Tags) -> np.ndarray | None:
    is_apart = _first(tags, PLANES, 1) == APART and _first(tags, CHANNELS, 1) > 1
    if is_apart or _first(tags, COMPRESSION, RAW) not in BY_OPENCV:
        return None
    try:
        with quiet():
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return pixels[..., ::-1] if pixels is not None and pixels.ndim == 3 else pixels  # it has BGR


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels as EXIF's orientation, 1 to 8, turns them."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def _tags(data: bytes) -> Tags:
    tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
    if data[2:3] in (b"+", b"\0") and b"+" in data[2:4]:  # BigTIFF
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:16])
    try:
        stream = io.BytesIO(data)
        stream.seek(tags.next)
        tags.load(stream)
    except MALFORMED:  # the tags before the damage are enough, or decoding reports it
        pass
    return tags


def _first(tags: Tags, tag: int, default: int) -> int:
    value = tags.get(tag, default)
    return int(value[0] if isinstance(value, tuple) else value)


def _tiff_kind(tags: Tags) -> str:
    packed = TiffImagePlugin.COMPRESSION_INFO.get(_first(tags, COMPRESSION, 1), "unknown")
    apart = ", channel by channel" if _first(tags, PLANES, 1) == APART else ""
    return (
        f"a TIFF image of {_first(tags, CHANNELS, 1)} channels of {_first(tags, BITS, 1)}-bit "
        f"{KINDS.get(_first(tags, KIND, 1), 'values')} ({packed} compression{apart})"
    )
