"""Image files read with Pillow and NumPy alone, against the reader of the training."""

import ast
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from datamodules.sources.decode import decode
from datamodules.sources.resizing import to_square
from models.export import image_file, image_input
from models.export.shipped_code import code_of

SHAPES = [(100, 100), (60, 33), (400, 300), (225, 449), (17, 900), (1500, 50), (20, 700)]


def photo(height, width, channels=3):
    """A smooth image with some noise."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    noisy = smooth.astype(int) + rng.integers(-20, 20, smooth.shape)
    return noisy.clip(0, 255).astype(np.uint8)[..., :channels]


def saved(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def with_alpha(picture):
    alpha = Image.fromarray(photo(*picture.size[::-1])[..., 0])
    return Image.merge("RGBA", (*picture.split(), alpha))


def rotated(picture, orientation, kind="JPEG"):
    tags = Image.Exif()
    tags[0x112] = orientation
    return saved(picture, kind, exif=tags)


def white_is_0(image):
    """A TIFF of 16 bits whose tag says that 0 is white."""
    data = saved(image, "TIFF")
    place = data.index(struct.pack("<HHI", 262, 3, 1))
    return data[: place + 8] + bytes(4) + data[place + 12 :]


def bmp_of_16_bits(pixels):
    """A BMP with five bits for each colour."""
    red, green, blue = (pixels[::-1] >> 3).astype("<u2").transpose(2, 0, 1)
    height, width = red.shape
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 0, 0, 0, 0, 0, 0)
    content = header + (red << 10 | green << 5 | blue).astype("<u2").tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + len(content), 0, 0, 54) + content


def swapped_profile():
    """A colour profile that is sRGB with red and green swapped."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")


SWAPPED = swapped_profile()
WITH_PROFILE = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
PHOTO = Image.fromarray(photo(37, 53))
DEEP = np.random.default_rng(1).integers(0, 65536, (37, 53)).astype(np.uint16)
FILES = {
    "JPEG": saved(PHOTO, "JPEG"),
    "grey JPEG": saved(PHOTO.convert("L"), "JPEG"),
    "CMYK JPEG": saved(PHOTO.convert("CMYK"), "JPEG", quality=95),
    "PNG": saved(PHOTO, "PNG"),
    "PNG with alpha": saved(with_alpha(PHOTO), "PNG"),
    "PNG with a palette": saved(PHOTO.quantize(16), "PNG"),
    "PNG of 16 bits": saved(Image.fromarray(DEEP), "PNG"),
    "WebP": saved(PHOTO, "WEBP", lossless=True),
    "GIF": saved(PHOTO.quantize(16), "GIF"),
    "BMP": saved(PHOTO, "BMP"),
    "motion photo": saved(PHOTO, "JPEG") + b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff" * 99,
    "CMYK TIFF": saved(PHOTO.convert("CMYK"), "TIFF"),
    "CIELab TIFF": saved(Image.fromarray(photo(37, 53), "LAB"), "TIFF"),
    **{f"swapped {kind}": saved(PHOTO, kind, icc_profile=SWAPPED) for kind in WITH_PROFILE},
    "swapped PNG with alpha": saved(with_alpha(PHOTO), "PNG", icc_profile=SWAPPED),
    "grey JPEG with a profile": saved(PHOTO.convert("L"), "JPEG", icc_profile=SWAPPED),
    "floats in a TIFF": saved(Image.fromarray((DEEP / 65535).astype(np.float32)), "TIFF"),
    "whole numbers in a TIFF": saved(Image.fromarray((DEEP >> 8).astype(np.int32)), "TIFF"),
    "16 bits in a TIFF": saved(Image.fromarray(DEEP), "TIFF"),
    "white is 0 in a TIFF": white_is_0(Image.fromarray(DEEP)),
    "PGM up to 4095": b"P5 53 37 4095 " + (DEEP >> 4).astype(">u2").tobytes(),
    "PPM as text": b"P3 53 37 31 " + b" ".join(b"%d" % v for v in (photo(37, 53) >> 3).ravel()),
    "JPEG 2000": saved(PHOTO, "JPEG2000"),
    "AVIF, orientation 6": rotated(PHOTO, 6, "AVIF"),
    "GIF without its end": saved(PHOTO.quantize(16), "GIF")[:-1],
    "BMP of 16 bits": bmp_of_16_bits(photo(37, 54)),
    **{f"JPEG, orientation {each}": rotated(PHOTO, each) for each in (2, 3, 6, 8)},
    "PNG, orientation 6": rotated(PHOTO, 6, "PNG"),
}


@pytest.mark.parametrize("how", ["squeeze", "crop", "pad"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_differs_from_the_training_by_one_level_at_most(shape, how, channels):
    image = photo(*shape, channels)
    for size in (32, 64, 150):
        expected = to_square(image, size, how).astype(int)
        found = image_input.to_square(image, size, how).astype(int)
        assert abs(found - expected).max() <= 1
        assert abs(found - expected).mean() < 0.3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_decoded_as_in_the_training(name, channels):
    expected = decode(FILES[name], channels, name).astype(int)
    found = image_file.read_image(FILES[name], channels).astype(int)
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 2  # grey from CMYK, and profiles; all others 1


def test_printing_colours_with_a_profile_are_those_of_the_training(printer_profile):
    picture = PHOTO.convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        data = saved(picture, kind, icc_profile=printer_profile)
        expected = decode(data, 3, kind).astype(int)
        assert abs(expected - decode(saved(picture, kind), 3, kind)).max() > 20
        assert abs(image_file.read_image(data, 3) - expected).max() <= 1


def test_a_path_bytes_and_pixels_give_the_same_input(tmp_path):
    (tmp_path / "a.png").write_bytes(FILES["PNG"])
    found = [
        image_input.image_input(image, 32, 3, "pad")
        for image in (tmp_path / "a.png", str(tmp_path / "a.png"), FILES["PNG"], np.array(PHOTO))
    ]
    assert found[0].shape == (3, 32, 32)
    assert found[0].dtype == np.uint8
    assert all((each == found[0]).all() for each in found)


def test_grey_pixels_become_three_equal_channels():
    found = image_input.image_input(photo(40, 40, 1)[..., 0], 40, 3, "squeeze")
    assert (found == photo(40, 40, 1)[..., 0]).all()


HEADER = FILES["JPEG"][: FILES["JPEG"].index(b"\xff\xda") + 14]


def bomb(side):
    """A PNG file of a few bytes that claims to have side x side pixels."""
    body = b"IHDR" + side.to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
    head = (13).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + head + FILES["PNG"][33:]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FILES["JPEG"][:-400], "is truncated: its end is missing"),
        (FILES["PNG"][:-400], "is truncated: its end is missing"),
        (b"no image at all", "is not an image that can be read"),
        (b"", "is not an image that can be read"),
        (bomb(10_001), r"has 10001 x 10001 pixels, more than 100,000,000"),
        (bomb(20_000), r"more than 100,000,000"),
        (saved(Image.fromarray(np.full((4, 4), 999.0, np.float32)), "TIFF"), "from 999 to 999"),
        (HEADER + b"\xff\xd9", "is truncated: its end is missing"),
        (HEADER + b"\0\xff\xd9", "is truncated: its end is missing"),
        ("missing.jpg", r"missing.jpg cannot be read: No such file"),
        (np.ones((4, 4), np.float32), r"Expected uint8 pixels in 0…255, .* got float32 \(4, 4\)"),
        (np.ones((4, 4, 4), np.uint8), r"Expected uint8 .* got uint8 \(4, 4, 4\)"),
        (np.ones((0, 4), np.uint8), r"has no pixel"),
    ],
)
def test_what_is_no_image_is_refused(data, message):
    with pytest.raises(image_file.UnreadableImage, match=message):
        image_input.image_input(data, 32, 3, "squeeze")


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("image_input", {"io", "re", "struct", "functools", "numpy", "PIL", "pillow_heif"}),
        ("description", set()),
    ],
)
def test_what_is_shipped_imports_nothing_of_this_project(module, allowed):
    tree = ast.parse(code_of(module))
    found = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [node.names[0].name])
    }
    assert found <= allowed | {"json", "collections", "dataclasses", "pathlib", "typing"}


def test_the_file_beside_a_network_reads_images_alone(tmp_path):
    (tmp_path / "alone.py").write_text(code_of("image_input"))
    found: dict = {}
    exec(compile((tmp_path / "alone.py").read_text(), "alone.py", "exec"), found)
    expected = image_input.image_input(FILES["swapped JPEG"], 32, 3, "crop")
    assert (found["image_input"](FILES["swapped JPEG"], 32, 3, "crop") == expected).all()
