"""Sizes of image files, without decoding them."""

from pathlib import Path

from datamodules.sources.decode import read_image
from datamodules.sources.numbers import MALFORMED
from datamodules.sources.open_image import open_image

ORIENTATION = 0x0112  # tag of EXIF
TURNED = range(5, 9)  # its values for images that lie on their side


def upright_size(file: Path) -> tuple[int, int]:
    """Width and height of an image as a viewer shows it, in pixels.

    Raises:
        UnreadableImageError: If it is no image.
    """
    try:
        with file.open("rb") as stream:
            image = open_image(stream, str(file))
            if image is not None:
                width, height = image.size
                turned = image.getexif().get(ORIENTATION) in TURNED
                return (height, width) if turned else (width, height)
    except MALFORMED:  # of its EXIF: the file is decoded instead
        pass
    height, width, _ = read_image(file, 1).shape
    return width, height
