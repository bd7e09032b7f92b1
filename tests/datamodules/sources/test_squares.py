"""Photographs much larger than the square that a network takes, decoded at a part of their size."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from datamodules.sources.decode import decode
from datamodules.sources.files import FileReader
from datamodules.sources.squares import decode_square, reduction
from lightning_app.cli.networks.images import Images
from models.export.image_input import image_input

SIZE = 64
MEAN_ERROR = 1.0  # levels of 255


def photograph(width=896, height=704):
    """Soft shapes with fine noise, the same in every test."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (14, 18, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(cv2.add(smooth, rng.integers(0, 20, smooth.shape, dtype=np.uint8)))


def saved(image, **options):
    content = io.BytesIO()
    image.save(content, "JPEG", quality=92, **options)
    return content.getvalue()


def swapped_profile():
    """A colour profile that is sRGB with red and green swapped."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")


def grey_profile():
    """A profile of grey with linear levels."""
    tags = {
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">I", 0),
    }
    start, table = 132 + 12 * len(tags), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", start, len(value))
        start += len(value)
    header = struct.pack(">I4sI4s4s4s", start, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 2) + table + b"".join(tags.values())


def expected(image, how):
    """What Pillow makes of all pixels."""
    width, height = image.size
    if how == "crop":
        side, left, top = min(width, height), (width - height) // 2, (height - width) // 2
        left, top = max(left, 0), max(top, 0)
        image = image.crop((left, top, left + side, top + side))
    if how == "pad":
        square = Image.new(image.mode, (SIZE, SIZE))
        longer = max(width, height)
        inner = (round(width * SIZE / longer), round(height * SIZE / longer))
        resized = image.resize(inner, Image.Resampling.BILINEAR)
        square.paste(resized, ((SIZE - inner[0]) // 2, (SIZE - inner[1]) // 2))
        return np.asarray(square).astype(int)
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)).astype(int)


@pytest.mark.parametrize(
    ("width", "height", "how", "factor"),
    [
        (4000, 3000, "squeeze", 8),
        (3000, 4000, "crop", 8),
        (500, 375, "squeeze", 1),
        (448, 448, "squeeze", 2),
        (448, 447, "squeeze", 1),
        (9000, 500, "crop", 2),  # the shorter side is what is cut out
        (9000, 500, "pad", 8),  # the longer side fills the square
        (1000, 896, "pad", 4),
    ],
)
def test_a_reduced_photograph_has_at_least_the_pixels_of_the_square(width, height, how, factor):
    assert reduction(width, height, 224, how) == factor


@pytest.mark.parametrize("how", ["squeeze", "crop", "pad"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photograph_looks_as_if_all_its_pixels_were_averaged(how, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation  # 6: turn by 90 degrees
    data = saved(photograph(), exif=exif)
    found = decode_square(data, SIZE, 3, how, "a").astype(int)
    whole = Image.open(io.BytesIO(data)).convert("RGB")
    upright = whole if orientation == 1 else whole.transpose(Image.Transpose.ROTATE_270)
    assert reduction(*upright.size, SIZE, how) == 8
    assert abs(found - expected(upright, how)).mean() < MEAN_ERROR


def test_a_side_that_is_no_multiple_of_eight_moves_the_image_by_less_than_a_pixel():
    image = photograph(900, 700)
    found = decode_square(saved(image), SIZE, 3, "squeeze", "a").astype(int)
    truth = expected(image, "squeeze")
    next_pixel = abs(np.diff(truth, axis=0)).mean() + abs(np.diff(truth, axis=1)).mean()
    assert MEAN_ERROR < abs(found - truth).mean() < next_pixel / 2


def test_grey_is_that_of_the_whole_photograph():
    grey = decode_square(saved(photograph()), SIZE, 1, "squeeze", "a")[..., 0].astype(int)
    assert abs(grey - expected(photograph().convert("L"), "squeeze")).mean() < MEAN_ERROR


@pytest.mark.parametrize("how", ["squeeze", "crop", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
def test_training_explain_and_exported_networks_see_the_same_pixels(tmp_path, how, channels):
    data = saved(photograph(700, 300))
    (tmp_path / "a.jpg").write_bytes(data)
    trained = FileReader(tmp_path, ["a.jpg"], SIZE, channels, how).read(0)
    explained = Images([tmp_path / "a.jpg"], SIZE, channels, how).batch([0])
    assert (explained[0].permute(1, 2, 0).numpy() * 255 == trained).all()
    exported = image_input(data, SIZE, channels, how).transpose(1, 2, 0).astype(int)
    assert (exported == trained).all()


def large(kind, printer_profile):
    """A large photograph of a kind that needs more than decoding."""
    picture = photograph(700, 300)
    files = {
        "swapped colours": lambda: saved(picture, icc_profile=swapped_profile()),
        "grey": lambda: saved(picture.convert("L")),
        "linear grey": lambda: saved(picture.convert("L"), icc_profile=grey_profile()),
        "grey, profile of colours": lambda: saved(
            picture.convert("L"), icc_profile=swapped_profile()
        ),
        "CMYK": lambda: saved(picture.convert("CMYK")),
        "a printer's": lambda: saved(picture.convert("CMYK"), icc_profile=printer_profile),
        "motion photo": lambda: saved(picture) + b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff" * 99,
        "progressive": lambda: saved(picture, progressive=True),
        "a line": lambda: saved(photograph(700, 5)),
    }
    return files[kind]()


@pytest.mark.parametrize("how", ["squeeze", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        *(("swapped colours", 1), ("grey", 0), ("linear grey", 0), ("grey, profile of colours", 0)),
        *(("CMYK", 2), ("a printer's", 1), ("motion photo", 0), ("progressive", 0), ("a line", 1)),
    ],
)
def test_exported_networks_see_the_pixels_of_the_training(
    kind, levels, channels, how, printer_profile
):
    data = large(kind, printer_profile)
    trained = decode_square(data, SIZE, channels, how, kind).astype(int)
    exported = image_input(data, SIZE, channels, how).transpose(1, 2, 0).astype(int)
    assert abs(exported - trained).max() <= levels


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_profile_of_a_grey_image_is_applied(kind, channels):
    content = io.BytesIO()
    Image.new("L", (400, 300), 100).save(content, kind, icc_profile=grey_profile(), quality=100)
    in_srgb = 255 * (1.055 * (100 / 255) ** (1 / 2.4) - 0.055)
    for pixels in (
        decode(content.getvalue(), channels, "a"),
        decode_square(content.getvalue(), SIZE, channels, "squeeze", "a"),
    ):
        assert pixels[32, 32].tolist() == pytest.approx([in_srgb] * channels, abs=1)
