"""Images decoded by OpenCV: the fastest reader of the usual formats."""

import cv2
import numpy as np

from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.jpeg import unread_jpeg
from datamodules.sources.quiet_decoders import quiet

REDUCED = {  # OpenCV's flags, by the factor of libjpeg that is applied while decoding
    2: (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2),
    4: (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4),
    8: (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8),
}


def opencv_pixels(data: bytes, num_channels: int, name: str, factor: int = 1) -> np.ndarray:
    """The pixels of a file, uint8 (H, W, num_channels), upright.

    Args:
        data: The content of a file.
        num_channels: 1 for grey, 3 for RGB.
        name: Name of the file, for messages.
        factor: By what a JPEG file is reduced: 1, or one of `REDUCED`.

    Raises:
        UnreadableImageError: If it cannot be decoded.
    """
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
