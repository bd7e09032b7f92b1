"""Read one image file, or say what is wrong with it."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

EXTENSIONS = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
MAX_PIXELS = 100_000_000  # a 49 KB file can decode to 2.7 GB: the header is asked first


def read_image(file: Path, num_channels: int) -> np.ndarray:
    """Decode a file, turned as its EXIF data say.

    Args:
        file: An image in a format that OpenCV reads.
        num_channels: 1 for grey, 3 for RGB; whatever the file has is converted.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        ValueError: If the file is missing, is no image, or is larger than `MAX_PIXELS`.
    """
    flags = cv2.IMREAD_GRAYSCALE if num_channels == 1 else cv2.IMREAD_COLOR_RGB
    try:
        with Image.open(file) as header:
            width, height = header.size
    except FileNotFoundError:
        raise ValueError(f"There is no image file {file}.") from None
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} is no image that can be read: {error}.") from error
    if width * height > MAX_PIXELS:
        raise ValueError(f"{file} has {width} x {height} pixels, more than {MAX_PIXELS:,}.")
    image = cv2.imread(str(file), flags)
    if image is None:
        raise ValueError(f"{file} is broken: its header can be read, its pixels cannot.")
    return image.reshape(*image.shape[:2], num_channels)
