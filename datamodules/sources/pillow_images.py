"""Images that Pillow decodes: all kinds but usual JPEG, PNG and WebP files."""

import numpy as np
from PIL import Image, ImageOps

from datamodules.sources.colours import in_srgb
from datamodules.sources.image_limits import UnreadableImageError, UnsupportedImageError
from datamodules.sources.jpeg2000 import deep_colours
from datamodules.sources.numbers import MALFORMED, to_bytes
from datamodules.sources.quiet_decoders import quiet
from datamodules.sources.tiff_images import is_inverted

BACKGROUND = (255, 255, 255)  # behind transparent parts
EXIF_ONLY = ("JPEG", "MPO", "PNG", "WEBP")  # formats that only EXIF data turn, not XMP
UNPACKED = ("webp", "zstd", "lerc")  # compressions of TIFF that Pillow may be built without
SCALED = ("PNG", "PPM", "JPEG2000")  # formats whose deep pixels Pillow gives in 16 bits


def pillow_pixels(image: Image.Image, data: bytes, num_channels: int, name: str) -> np.ndarray:
    """Decode the first frame: upright, in sRGB, with transparent parts white.

    Args:
        image: An opened image; its pixels are read here.
        data: Content of its file.
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
        is_plain = image.format in EXIF_ONLY and "exif" not in image.info
        upright = image if is_plain else ImageOps.exif_transpose(image)
        if image.format == "JPEG2000":
            upright = deep_colours(data, image.mode) or upright
        in_bytes = _in_bytes(upright, image.format, name)
        if in_bytes is not upright and is_inverted(image):
            in_bytes = ImageOps.invert(in_bytes)
        flat = _on_background(in_bytes, profile)
        pixels = np.asarray(flat.convert("L" if num_channels == 1 else "RGB"))
    except UnreadableImageError:
        raise
    except MALFORMED as error:
        if image.format == "TIFF" and image.info.get("compression") in UNPACKED:
            packed = image.info["compression"]
            raise UnsupportedImageError(
                f"{name} is a TIFF image with {packed} compression, which cannot be read. Save it "
                "with another one, such as LZW."
            ) from error
        raise UnreadableImageError(f"{name} is broken: {error}.") from error
    return pixels.reshape(*pixels.shape[:2], num_channels)


def _in_bytes(image: Image.Image, kind: str | None, name: str) -> Image.Image:
    """The image with 8 bits per channel."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    if image.mode.startswith("I") and kind in SCALED:
        levels = (values >> 8).clip(0, 255).astype(np.uint8)
    else:
        levels = to_bytes(values, name)
    if isinstance(hidden := image.info.get("transparency"), int):
        levels = np.where(values == hidden, np.uint8(255), levels)
    return Image.fromarray(levels)


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
