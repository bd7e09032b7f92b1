"""Numbers as pixels: floats and whole numbers whose range the file does not state."""

import struct

import numpy as np

from datamodules.sources.image_limits import UnreadableImageError, UnsupportedImageError

# Errors of Pillow for malformed files; its AVIF decoder raises RuntimeError.
MALFORMED = (
    *(OSError, SyntaxError, ValueError, TypeError, EOFError, RuntimeError, struct.error),
    *(KeyError, IndexError, OverflowError, AttributeError, MemoryError, ZeroDivisionError),
)


def to_bytes(values: np.ndarray, name: str) -> np.ndarray:
    """Numbers as uint8 of the same shape, by a rule that clips nothing.

    Floats from 0 to 1 are stretched to 0 to 255. Floats beyond 1, and whole numbers, are taken as
    they are if they lie in 0 to 255. Whole numbers of 16 bits without a sign are divided by 256.

    Raises:
        UnreadableImageError: If a number is not finite, or none of these ranges holds all of them.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:  # in any order of bytes
        return (values >> 8).astype(np.uint8)
    if not np.isfinite(values).all():
        raise UnreadableImageError(f"{name} has pixels that are not numbers (NaN or infinite).")
    low, high = float(values.min()), float(values.max())
    is_float = values.dtype.kind == "f"
    if low < 0 or high > 255:
        expected = "0 to 1 or 0 to 255" if is_float else "0 to 255"
        kind = "floats" if is_float else f"whole numbers of {8 * values.itemsize} bits"
        raise UnsupportedImageError(
            f"{name} has {kind} from {low:g} to {high:g} as pixels; expected {expected}. Scale "
            "all images of the dataset alike, and save them with 8 bits."
        )
    scale = 255 if is_float and high <= 1 else 1
    return np.rint(values * scale).astype(np.uint8)
