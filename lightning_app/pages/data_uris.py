"""Data URIs: images embedded in an HTML page, so that it needs no other file."""

import base64
import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

SMALL = 60_000  # bytes of a PNG below which another format would not save much
QUALITY = 86  # of WebP, in percent
MAX_SIDE = 1600  # pixels; a page is not wider
THUMBNAIL = 220  # longer side of a thumbnail, in pixels
BUDGET = 3_500_000  # characters of all pictures of a page, which can then be sent by mail


class Embedded(NamedTuple):
    """An image as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


def embed_all(
    paths: Iterable[str], content: Callable[[str], bytes], needed: int, budget: int = BUDGET
) -> dict[str, Embedded]:
    """Embed as many pictures as fit into a budget.

    Args:
        paths: The pictures, most important first.
        content: Reads the PNG file at a path.
        needed: How many of the first pictures are embedded whatever their size.
        budget: Maximum total length, in characters.
    """
    embedded: dict[str, Embedded] = {}
    size = 0
    for number, path in enumerate(paths):
        if number >= needed and size >= budget:
            break
        embedded[path] = embed(content(path))
        size += len(embedded[path].uri)
    return embedded


def embed(png: bytes) -> Embedded:
    """Embed a PNG file; a large one is scaled down and converted to WebP."""
    image = Image.open(io.BytesIO(png))
    if len(png) > SMALL:
        return _embed_webp(image.convert("RGB"), MAX_SIDE)
    return Embedded(_data_uri(png, "png"), *image.size)


def embed_pixels(pixels: np.ndarray) -> str:
    """Data URI of an image, uint8 (H, W, 3), as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return _data_uri(buffer.getvalue(), "png")


def embed_thumbnail(pixels: np.ndarray) -> Embedded:
    """Embed an image, uint8 (H, W, 3), scaled down to `THUMBNAIL` pixels on its longer side."""
    return _embed_webp(Image.fromarray(pixels), THUMBNAIL)


def _embed_webp(image: Image.Image, max_side: int) -> Embedded:
    buffer = io.BytesIO()
    image.thumbnail((max_side, max_side))
    image.save(buffer, "WEBP", quality=QUALITY, method=2)
    return Embedded(_data_uri(buffer.getvalue(), "webp"), *image.size)


def _data_uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
