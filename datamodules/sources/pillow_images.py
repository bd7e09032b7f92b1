"""Images that Pillow decodes: all kinds but usual JPEG, PNG, WebP and BMP files."""

import io

import cv2
import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

from datamodules.sources.colours import in_srgb
from datamodules.sources.image_limits import UnreadableImageError, check_pixels
from datamodules.sources.numbers import MALFORMED, to_bytes
from datamodules.sources.quiet_decoders import quiet

BACKGROUND = (255, 255, 255)  # behind transparent parts
SCALED = ("PNG", "PPM", "JPEG2000")  # formats whose deep pixels Pillow gives in 16 bits
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDTH, HEIGHT, BITS, COMPRESSION, CHANNELS, KIND = 256, 257, 258, 259, 277, 339  # tags of TIFF
KINDS = {1: "whole numbers", 2: "signed whole numbers", 3: "floats", 5: "complex numbers"}


def pillow_pixels(image: Image.Image, num_channels: int, name: str) -> np.ndarray:
    """Decode the first frame: upright, in sRGB, with transparent parts white.

    Args:
        image: An opened image; its pixels are read here.
        num_channels: 1 for grey, 3 for RGB.
        name: Name of the file, for messages.

    Returns:
        uint8, (H, W, num_channels).

    Raises:
        UnreadableImageError: If the pixels cannot be decoded, or their range is unknown.
    """
    try:
        with quiet():
            image.load()
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
        flat = _on_background(_in_bytes(upright, image.format, name), profile)
        pixels = np.asarray(flat.convert("L" if num_channels == 1 else "RGB"))
    except UnreadableImageError:
        raise
    except MALFORMED as error:
        raise UnreadableImageError(_reason(image, name, error)) from error
    return pixels.reshape(*pixels.shape[:2], num_channels)


def other_tiff(data: bytes, num_channels: int, name: str) -> np.ndarray:
    """Decode a kind of TIFF that Pillow does not know: colours in floats or whole numbers.

    Raises:
        UnreadableImageError: If OpenCV does not know it either; the message says what it is.
    """
    tags = _tags(data)
    if not {WIDTH, HEIGHT} <= tags.keys():
        raise UnreadableImageError(f"{name} is a damaged TIFF image: its header cannot be read.")
    check_pixels(int(tags[WIDTH]), int(tags[HEIGHT]), name)
    pixels = None
    if int(tags.get(CHANNELS, 1)) in (1, 3):
        try:
            with quiet():
                pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            pixels = None
    if pixels is None:
        raise UnreadableImageError(
            f"{name} is {_tiff_kind(tags)}, which cannot be read. Save it with 8 bits per channel "
            "in one, three or four channels."
        )
    levels = to_bytes(pixels[..., ::-1] if pixels.ndim == 3 else pixels, name)  # OpenCV has BGR
    image = Image.fromarray(np.ascontiguousarray(levels)).convert(
        "L" if num_channels == 1 else "RGB"
    )
    return np.asarray(image).reshape(image.height, image.width, num_channels)


def _in_bytes(image: Image.Image, kind: str | None, name: str) -> Image.Image:
    """The image with 8 bits per channel."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.mode.startswith("I") and (kind in SCALED or values.dtype == np.uint16):
            return Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
        return Image.fromarray(to_bytes(values, name))
    return image


def _on_background(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in sRGB, without transparency and without a palette."""
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        colours = in_srgb(picture.convert("RGB"), profile)
        white = Image.new("RGB", picture.size, BACKGROUND)
        return Image.composite(colours, white, picture.getchannel("A"))
    if image.mode in ("P", "PA", "RGBA", "RGBX", "RGBa", "YCbCr", "HSV"):
        image = image.convert("RGB")
    elif image.mode in ("1", "LA", "La"):
        image = image.convert("L")
    return in_srgb(image, profile)


def _reason(image: Image.Image, name: str, error: BaseException) -> str:
    if image.format == "TIFF" and image.info.get("compression") in ("webp", "zstd", "lerc"):
        packed = str(image.info["compression"])
        return (
            f"{name} is a TIFF image with {packed} compression, which cannot be read. Save it with "
            "another one, such as LZW."
        )
    return f"{name} is broken: {error}."


def _tags(data: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
    try:
        stream = io.BytesIO(data)
        stream.seek(tags.next)
        tags.load(stream)
    except MALFORMED:
        pass
    return tags


def _tiff_kind(tags: TiffImagePlugin.ImageFileDirectory_v2) -> str:
    def first(tag: int, default: int) -> int:
        value = tags.get(tag, default)
        return int(value[0] if isinstance(value, tuple) else value)

    packed = TiffImagePlugin.COMPRESSION_INFO.get(first(COMPRESSION, 1), "unknown")
    return (
        f"a TIFF image of {first(CHANNELS, 1)} channels of {first(BITS, 1)}-bit "
        f"{KINDS.get(first(KIND, 1), 'values')} ({packed} compression)"
    )
