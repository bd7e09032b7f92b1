"""JPEG 2000 images of deep colours, which Pillow reads wrongly."""

import cv2
import numpy as np
from PIL import Image

from datamodules.sources.quiet_decoders import quiet

START = b"\xff\x4f\xff\x51"  # of the coded image, and of its sizes
BITS_AT = 42  # bytes from there to the bits of the first channel


def bits_of(data: bytes) -> int:
    """Bits per channel of a JPEG 2000 file; 0 if it does not say."""
    place = data.find(START) + BITS_AT
    return (data[place] & 0x7F) + 1 if BITS_AT <= place < len(data) else 0


def deep_colours(data: bytes, mode: str) -> Image.Image | None:
    """Colours of more than 8 bits: Pillow rounds them, and what exceeds white becomes black.

    Args:
        data: Content of a JPEG 2000 file.
        mode: Pillow's, RGB or RGBA.

    Returns:
        The upper 8 bits, of that mode; None if there is nothing to correct.
    """
    if mode not in ("RGB", "RGBA") or (bits := bits_of(data)) <= 8:
        return None
    try:
        with quiet():
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != len(mode):
        return None
    levels = np.right_shift(pixels, bits - 8).clip(0, 255).astype(np.uint8)
    order = [2, 1, 0, 3][: len(mode)]  # OpenCV has BGR
    return Image.fromarray(np.ascontiguousarray(levels[..., order]))
