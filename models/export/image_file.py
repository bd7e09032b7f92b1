"""Image files as pixels, with NumPy and Pillow only: what a network that is shipped can read.

The rules are those of the training's reader, which uses OpenCV where it is faster. Kinds of files
that only OpenCV reads rightly are refused.
"""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from models.export.image_colours import in_srgb
from models.export.image_jpeg import JPEGS, coded_bytes, draft, reduction

MAX_PIXELS = 100_000_000  # a file of 633 bytes can ask for a gigabyte
WHITE = (255, 255, 255)  # behind transparent parts
JPEG_START, PNG_START, PNG_END = b"\xff\xd8", b"\x89PNG", b"IEND\xaeB`\x82"
COMPRESSION, COLOURS, PLANES, BITS = 259, 262, 284, 258  # tags of TIFF
SCALED = ("PNG", "PPM", "JPEG2000")  # formats whose deep pixels Pillow gives in 16 bits
EXIF_ONLY = ("JPEG", "MPO", "PNG", "WEBP")  # formats that only EXIF data turn, not XMP
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Errors of Pillow for malformed files; its AVIF decoder raises RuntimeError.
MALFORMED = (
    *(OSError, SyntaxError, ValueError, TypeError, EOFError, RuntimeError, struct.error),
    *(KeyError, IndexError, OverflowError, AttributeError, ZeroDivisionError),
)
try:  # iPhones' photographs can be read where this package is installed
    from pillow_heif import register_heif_opener

    register_heif_opener()
except ImportError:
    pass


class UnreadableImage(ValueError):
    """An image that cannot be read; the message says why."""


def read_image(image: bytes | str | Path, num_channels: int) -> np.ndarray:
    """Decode the first frame of a file, upright, in sRGB, with transparent parts white.

    Args:
        image: The content of an image file, or its path.
        num_channels: 1 for grey, 3 for RGB.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        UnreadableImage: If it is missing, not an image, truncated, too large, or of a kind that is
            not read here.
    """
    return read_reduced(image, num_channels, 0, "squeeze")[0]


def read_reduced(
    image: bytes | str | Path, num_channels: int, size: int, resize: str
) -> tuple[np.ndarray, bool]:
    """As `read_image`; a large JPEG is decoded at a half, a quarter or an eighth of its size.

    Args:
        image: The content of an image file, or its path.
        num_channels: 1 for grey, 3 for RGB.
        size: Side of the square that at least as many pixels are kept for; 0 to keep all.
        resize: `squeeze`, `crop` or `pad`: how it becomes the square.

    Returns:
        The pixels, and whether the square is so small that Pillow's filter resizes them.
    """
    data = image if isinstance(image, bytes) else _content(Path(image))
    mode = "L" if num_channels == 1 else "RGB"
    try:
        with Image.open(io.BytesIO(data)) as header:
            check_size(*header.size)
            _check_end(data, header)
            _check_kind(data, header)
            profile = header.info.get("icc_profile", b"")
            factor = reduction(*header.size, size, resize) if header.format in JPEGS else 1
            draft(header, mode, profile, factor)
            pixels = np.asarray(_converted(header, profile).convert(mode))
    except UnidentifiedImageError as error:
        what = "not an image that can be read"
        if data.startswith(TIFF_STARTS):
            what = "a TIFF image of a kind that only the training reads; convert it"
        raise UnreadableImage(f"The data is {what}.") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"The image has more than {MAX_PIXELS:,} pixels.") from error
    except UnreadableImage:
        raise
    except MALFORMED as error:
        raise UnreadableImage(f"The image is broken or truncated: {error}.") from error
    return pixels.reshape(*pixels.shape[:2], num_channels), factor > 1


def check_size(width: int, height: int) -> None:
    """Refuse an image that is too large.

    Raises:
        UnreadableImage: If it has more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise UnreadableImage(f"The image has {width} x {height} pixels, more than {MAX_PIXELS:,}.")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"{file} cannot be read: {error.strerror}.") from error


def _check_end(data: bytes, header: Any) -> None:
    """Refuse files whose end is missing, which decoders fill silently."""
    is_cut = data.startswith(PNG_START) and PNG_END not in data
    is_cut |= data.startswith(b"RIFF") and len(data) < int.from_bytes(data[4:8], "little")
    if data.startswith(JPEG_START):
        across = 8 * max(layer[1] for layer in header.layer)
        down = 8 * max(layer[2] for layer in header.layer)
        blocks = -(-header.width // across) * -(-header.height // down)
        is_cut = 8 * coded_bytes(data) < blocks  # a block takes a bit at least
    if is_cut:
        raise UnreadableImage("The image is truncated: its end is missing.")


def _check_kind(data: bytes, header: Any) -> None:
    """Refuse the kinds of files that Pillow reads wrongly."""
    tags = getattr(header, "tag_v2", {})
    is_raw = tags.get(COMPRESSION, 1) == 1
    if is_raw and tags.get(PLANES) == 2 and max(tags.get(BITS, (1,))) > 8:
        raise UnreadableImage("The image is a TIFF of 16 bits, channel by channel; convert it.")
    if header.format == "JPEG2000" and header.mode in ("RGB", "RGBA"):
        place = data.find(b"\xff\x4f\xff\x51") + 42  # bits of the first channel
        if place < len(data) and data[place] & 0x7F > 7:
            raise UnreadableImage("The image is a JPEG 2000 of more than 8 bits; convert it.")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    """An image of Pillow in 8 bits, upright, in sRGB, and without transparency."""
    image.load()
    is_plain = image.format in EXIF_ONLY and "exif" not in image.info
    upright = image if is_plain else ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        upright = _in_bytes(upright, image)
    if upright.has_transparency_data:
        picture = upright.convert("RGBA")
        colours = in_srgb(picture.convert("RGB"), profile)
        white = Image.new("RGB", picture.size, WHITE)
        return Image.composite(colours, white, picture.getchannel("A"))
    if upright.mode in ("P", "PA", "RGBA", "RGBX", "RGBa", "YCbCr", "HSV"):
        upright = upright.convert("RGB")
    elif upright.mode in ("1", "LA", "La"):
        upright = upright.convert("L")
    return in_srgb(upright, profile)


def _in_bytes(image: Image.Image, opened: Image.Image) -> Image.Image:
    """Numbers of 16 or 32 bits, or floats, as 8 bits."""
    values = np.asarray(image)
    if values.dtype.kind == "u" or (image.mode.startswith("I") and opened.format in SCALED):
        levels = (values >> 8).clip(0, 255).astype(np.uint8)
    else:
        low, high = float(values.min()), float(values.max())
        if not (low >= 0 and high <= 255):  # also if a value is not a number
            raise UnreadableImage(
                f"The image has numbers from {low:g} to {high:g} as pixels; expected 0 to 255, or "
                "floats from 0 to 1."
            )
        is_share = values.dtype.kind == "f" and high <= 1
        levels = np.rint(values * (255 if is_share else 1)).astype(np.uint8)
    if isinstance(hidden := image.info.get("transparency"), int):
        levels = np.where(values == hidden, np.uint8(255), levels)
    is_inverted = getattr(opened, "tag_v2", {}).get(COLOURS, 1) == 0
    return Image.fromarray(255 - levels if is_inverted else levels)
