"""Open an image file with Pillow, or say what the file is instead."""

from functools import cache
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from datamodules.sources.file_kinds import BYTES, HEIF_EXTRA, READ, kind_of
from datamodules.sources.image_limits import (
    LIMIT,
    UnreadableImageError,
    UnsupportedImageError,
    check_pixels,
    max_pixels,
)
from datamodules.sources.numbers import MALFORMED
from datamodules.sources.tiff_images import TIFF_STARTS


@cache
def can_read_heif() -> bool:
    """Whether the package of the extra `heif` is installed; then Pillow uses it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def open_image(stream: BinaryIO, name: str) -> Image.Image | None:
    """Open an image with Pillow; its pixels are not decoded yet.

    Args:
        stream: The content of a file.
        name: Name of the file, for messages.

    Returns:
        The opened image; None for a kind of TIFF that Pillow does not know.

    Raises:
        UnreadableImageError: If it is no image, or larger than `max_pixels`; the message says what
            the file is instead.
    """
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
        is_heif = kind_of(start) == "a HEIF image" and not can_read_heif()
        refusal = UnsupportedImageError if is_heif else UnreadableImageError
        raise refusal(_not_an_image(start, name, error)) from error
    check_pixels(*header.size, name)
    return header


def _not_an_image(start: bytes, name: str, error: BaseException) -> str:
    """What the file is instead; Pillow's message names a Python object, which helps nobody."""
    kind = kind_of(start)
    if kind == "a HEIF image" and not can_read_heif():
        return f"{name} is a HEIF image, which needs a package: {HEIF_EXTRA}."
    if kind in READ:
        kind = f"{kind} of a kind that cannot be read, or damaged"
    if kind:
        return f"{name} is not an image that can be read: it is {kind}."
    reason = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
    return f"{name} is not an image that can be read{reason}."
