"""JPEG files: where their pixels end, and how Pillow decodes them at a part of their size."""

import re
from typing import Any

from models.export.image_colours import srgb_transform

JPEGS = ("JPEG", "MPO")
JPEG_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
SCAN, END, WITHOUT_LENGTH = 0xDA, 0xD9, (0x01, 0xD8)


def coded_bytes(data: bytes) -> int:
    """Bytes of the pixels of a JPEG file; 0 if their end is missing. What follows does not count.

    Phones append videos to their photographs. A marker among the pixels, after which neither
    another marker nor pixels follow, is damage: a decoder would fill the rest with grey.
    """
    place, coded, is_scan, marker = 2, 0, False, SCAN
    while match := JPEG_MARKER.search(data, place):
        if is_scan and marker != SCAN and data[place : match.start()].strip(b"\xff"):
            return 0
        coded += (match.start() - place) * is_scan
        marker, place = match[1][0], match.end()
        if marker == END:
            return coded
        if marker not in WITHOUT_LENGTH:
            place += max(2, int.from_bytes(data[place : place + 2]))
        is_scan |= marker == SCAN
    return 0


def reduction(width: int, height: int, size: int, resize: str) -> int:
    """The largest factor of 8, 4, 2 and 1 by which an image can be reduced before resizing."""
    side = max(width, height) if resize == "pad" else min(width, height)
    return next((factor for factor in (8, 4, 2) if 0 < size <= side // factor), 1)


def draft(image: Any, mode: str, profile: bytes, factor: int) -> None:
    """Have a JPEG decoded at a part of its size, and in grey by its own brightness."""
    is_printing = image.mode == "CMYK"
    if is_printing and profile:
        return  # the training decodes these whole, too
    width, height = image.size
    is_converted = not is_printing and profile and srgb_transform(profile, image.mode)
    # Quotients, as Pillow looks for the factor again, which a side of few pixels would lower.
    image.draft(None if is_converted else mode, (width / factor, height / factor))
