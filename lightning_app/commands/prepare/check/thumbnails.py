"""Small pictures that a page carries in itself."""

import base64

import cv2

from datamodules.sources.decode import UnreadableImageError
from lightning_app.commands.prepare.check.findings import Entry

SIDE = 220  # the longer one, in pixels
QUALITY = 82  # of JPEG, in percent


def data_uri(entry: Entry) -> str | None:
    """An image as training sees it, made small; None if it cannot be read."""
    try:
        image = entry.read()
    except UnreadableImageError:
        return None
    scale = min(SIDE / max(image.shape[:2]), 1.0)
    size = [max(round(side * scale), 1) for side in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
