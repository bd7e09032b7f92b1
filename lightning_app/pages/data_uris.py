"""Pictures as a page carries them in itself."""

import base64
import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

from PIL import Image

SMALL = 60_000  # bytes that a PNG may have: another format would not save much
QUALITY = 86  # of WebP, in percent
MAX_SIDE = 1600  # pixels; a page is not wider
BUDGET = 3_500_000  # characters of all pictures; a mail takes it


class Embedded(NamedTuple):
    """A picture as text, and its size in pixels."""

    uri: str
    width: int
    height: int


def embed_all(
    paths: Iterable[str], content: Callable[[str], bytes], needed: int, budget: int = BUDGET
) -> dict[str, Embedded]:
    """Embed as many pictures as the budget has room for.

    Args:
        paths: The pictures, the more wanted first.
        content: Reads one.
        needed: Of the first ones, which are embedded whatever their size.
        budget: Characters that all may have.
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
    """A PNG, in another format if it is large."""
    data, kind = png, "png"
    image = Image.open(io.BytesIO(png))
    if len(png) > SMALL:
        buffer = io.BytesIO()
        image = image.convert("RGB")
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        image.save(buffer, "WEBP", quality=QUALITY, method=2)
        data, kind = buffer.getvalue(), "webp"
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return Embedded(uri, *image.size)
