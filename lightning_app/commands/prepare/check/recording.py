"""Recording of an image: what its file says beside the pixels, such as compression and camera."""

from contextlib import suppress
from dataclasses import dataclass

from PIL import Image
from PIL.ExifTags import IFD, Base

from datamodules.sources.numbers import MALFORMED

STANDARD = 3688  # sum of the luminance table at quality 50 (ITU-T T.81, annex K)


@dataclass(frozen=True)
class Recording:
    """How an image was recorded and saved. Text is empty where the file does not tell.

    Attributes:
        num_bytes: Size of the file; 0 if the image is not a file.
        compression: Format, colour mode and, for a JPEG file, the quality that its quantisation
            table stands for, 1 to 100: `JPEG RGB, quality 75`.
        camera: Make and model.
        date: When it was taken, as EXIF writes it: `2024:05:31 12:00:00`.
    """

    num_bytes: int = 0
    compression: str = ""
    camera: str = ""
    date: str = ""


def recording_of(header: Image.Image, num_bytes: int) -> Recording:
    """The recording of an image file.

    Args:
        header: The opened file; its pixels are not read.
        num_bytes: Size of the file.
    """
    camera, date = "", ""
    with suppress(*MALFORMED):  # the pixels are readable, whatever is wrong here
        exif = header.getexif()
        names = [str(exif.get(tag, "")).strip("\0 ") for tag in (Base.Make, Base.Model)]
        camera = " ".join(filter(None, names))
        taken = exif.get_ifd(IFD.Exif).get(Base.DateTimeOriginal, exif.get(Base.DateTime, ""))
        date = str(taken).strip("\0 ")
    return Recording(num_bytes, _compression(header), camera, date)


def _compression(header: Image.Image) -> str:
    kind = f"{header.format} {header.mode}"
    tables = getattr(header, "quantization", None)
    if not tables:
        return kind
    scale = 100 * sum(tables[min(tables)]) / STANDARD
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return f"{kind}, quality {min(max(round(quality), 1), 100)}"
