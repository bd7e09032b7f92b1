"""Encoded images: the content of PNG and WebP files."""

import io

import cv2
import numpy as np
from PIL import Image

# One filter for all rows takes half the time of Pillow, which tries five for each.
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
EFFORT = 2  # of 6; with the usual 4, WebP takes twice as long for files as large


def as_png(image: np.ndarray) -> bytes:
    """An RGB image, uint8 (H, W, 3), as a PNG file."""
    _, content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), PNG)
    return content.tobytes()


def as_webp(image: np.ndarray) -> bytes:
    """An RGB image, uint8 (H, W, 3), as a lossy WebP file."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "WEBP", method=EFFORT)
    return content.getvalue()
