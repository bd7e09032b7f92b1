"""Facts of one image: size, format, digest and thumbnail, from decoding it once."""

import io
import struct
import warnings
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from datamodules.names import is_text
from datamodules.sources.cut_off import is_cut_off
from datamodules.sources.decode import (
    NEARLY_BLACK,
    check_file,
    decode,
)
from datamodules.sources.image_limits import (
    UnreadableImageError,
    UnsupportedImageError,
    max_pixels,
    open_file,
    read_file,
)
from datamodules.sources.numbers import MALFORMED
from lightning_app.commands.prepare.check.edges import edges_of
from lightning_app.commands.prepare.check.recording import Recording, recording_of

Fault = Literal[
    "", "empty", "not an image", "truncated", "too large", "broken", "name", "unsupported"
]
THUMBNAIL = 32  # side, in pixels
ORIENTATION = 0x0112  # the EXIF tag


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """Properties of an image.

    Attributes:
        fault: Why it cannot be read; empty if it can.
        complaint: The fault in a sentence that names the file.
        format: Pillow's name of the format, such as JPEG or PNG; empty if the header cannot be
            read, or the image is not a file.
        mode: Pillow's name of the colour mode, such as RGB, L or CMYK.
        bits: Bits per channel, 8 or 16.
        is_animated: Whether there is a second frame or page.
        is_rotated: Whether its EXIF data ask for a rotation.
        is_transparent: Whether it has an alpha channel or a transparent colour.
        size: Width and height in pixels, after the rotation.
        digest: Digest of the pixels; the same for files with the same decoded image.
        is_dark: Whether no pixel is brighter than `NEARLY_BLACK`.
        thumbnail: RGB, (32, 32, 3) uint8; None if it cannot be read.
        edges: See `edges_of`; None if it cannot be read.
        recording: What the file says beside the pixels.
    """

    fault: Fault = ""
    complaint: str = ""
    format: str = ""
    mode: str = ""
    bits: int = 8
    is_animated: bool = False
    is_rotated: bool = False
    is_transparent: bool = False
    size: tuple[int, int] = (0, 0)
    digest: bytes = b""
    is_dark: bool = False
    thumbnail: np.ndarray | None = None
    edges: np.ndarray | None = None
    recording: Recording = field(default_factory=Recording)


def inspect(file: Path) -> ImageFacts:
    """The properties of a file, read as in training; never raises."""
    with warnings.catch_warnings():  # `complaint` reports images that are too large
        warnings.simplefilter("ignore")
        try:
            data = read_file(file)
        except UnreadableImageError as error:
            return ImageFacts("broken", str(error))
        if not is_text(str(file)):
            return ImageFacts("name", check_file(file).fault)
        return inspect_data(data, str(file))


def inspect_data(data: bytes, name: str) -> ImageFacts:
    """The properties of an image file from its bytes, as `inspect`; complaints call it `name`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = decode(data, 3, name)
        except UnreadableImageError as error:
            unsupported = isinstance(error, UnsupportedImageError)
            return ImageFacts("unsupported" if unsupported else _fault(data), str(error))
        return facts_of(image, _header(data))


def facts_of(image: np.ndarray, header: ImageFacts = ImageFacts()) -> ImageFacts:
    """The properties of an RGB image, uint8 (H, W, 3), added to those from the file's header."""
    height, width = image.shape[:2]
    return replace(
        header,
        size=(width, height),
        digest=_digest(image),
        is_dark=bool(image.max() <= NEARLY_BLACK),
        thumbnail=cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA),
        edges=edges_of(image),
    )


def format_of(file: Path) -> str:
    """Format of an image file, whatever its ending; empty if it is not an image."""
    try:
        with open_file(file) as stream, Image.open(stream) as header:
            return header.format or ""
    except (Image.DecompressionBombError, *MALFORMED):
        return ""


def _fault(data: bytes) -> Fault:
    """Why the bytes of a file cannot be decoded."""
    if not data:
        return "empty"
    try:
        with Image.open(io.BytesIO(data)) as header:
            width, height = header.size
    except Image.DecompressionBombError:
        return "too large"
    except MALFORMED:
        return "not an image"
    if width * height > max_pixels():
        return "too large"
    return "truncated" if is_cut_off(data) else "broken"


def _header(data: bytes) -> ImageFacts:
    """The properties in the header of a readable image."""
    try:
        opened = Image.open(io.BytesIO(data))
    except (Image.DecompressionBombError, *MALFORMED):  # read by another decoder, or reduced
        return ImageFacts()
    with opened as header:
        deep_png = header.format == "PNG" and data[24] == 16  # Pillow calls 16-bit colours RGB
        return ImageFacts(
            format=header.format or "",
            mode=header.mode,
            bits=16 if deep_png or header.mode.startswith(("I", "F")) else 8,
            is_animated=_is_animated(header),
            is_rotated=header.getexif().get(ORIENTATION, 1) not in (0, 1),
            is_transparent=header.has_transparency_data,
            recording=recording_of(header, len(data)),
        )


def _is_animated(header: Image.Image) -> bool:
    """Whether there is a second frame; also if it is cut off, as only the first one is read."""
    if header.format == "MPO":  # of phones: what follows the first image is only a preview
        return False
    try:
        return bool(getattr(header, "is_animated", False))
    except MALFORMED:
        return True


def _digest(image: np.ndarray) -> bytes:
    size = struct.pack("II", *image.shape[:2])  # a row of pixels is not a column of them
    return blake2b(size + image.tobytes(), digest_size=16).digest()
