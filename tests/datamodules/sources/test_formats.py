"""Formats of image files as people have them: the pixels that are read, or what is said of them."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from datamodules.sources import open_image
from datamodules.sources.decode import check_file, decode, file_complaint, read_image
from datamodules.sources.squares import decode_square

RAMP = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)  # 0 to 252
TO_SRGB = np.array(  # linear Display P3 to linear sRGB
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(values, **tags):
    """An uncompressed TIFF of numbers, (H, W[, C]); `planes=2` writes channel by channel."""
    channels = values.shape[2] if values.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = [(256, 4, 1, values.shape[1]), (257, 4, 1, values.shape[0])]
    bits = 8 * values.itemsize
    wide = 8 + values.nbytes  # place of lists that do not fit into an entry
    lists = struct.pack(f"<{channels}H", *[bits] * channels)
    lists += struct.pack(f"<{channels}H", *[kind] * channels)
    one = channels < 3
    entries += [(258, 3, channels, bits if one else wide), (259, 3, 1, tags.get("packed", 1))]
    entries += [(262, 3, 1, tags.get("colours", 1 if one else 2)), (273, 4, 1, 8)]
    entries += [(277, 3, 1, channels), (278, 4, 1, values.shape[0]), (279, 4, 1, values.nbytes)]
    if tags.get("planes"):
        values = values.transpose(2, 0, 1)
        entries += [(284, 3, 1, 2)]
    entries += [(339, 3, channels, kind if one else wide + 2 * channels)]
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", *entry) for entry in entries
    )
    start = wide + len(lists)
    return struct.pack("<2sHI", b"II", 42, start) + values.tobytes() + lists + directory + bytes(4)


P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def profile_of(red, green, blue):
    """A colour profile of the primaries, in XYZ of D50, with a gamma of 2.2."""

    def xyz(*values):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(256 * 2.2), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78)
    tags = {
        b"desc": text + bytes(-len(text) % 4),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(*red),
        b"gXYZ": xyz(*green),
        b"bXYZ": xyz(*blue),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    place, table, content = 132 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        table += name + struct.pack(">II", place + len(content), len(value))
        content += value
    size = place + len(content)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content


def in_srgb(colour):
    """A colour of Display P3 with a gamma of 2.2 in sRGB, by the definitions of both."""
    linear = (TO_SRGB @ (np.array(colour) / 255) ** 2.2).clip(0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (255 * curve).round().tolist()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("channels", [1, 3])
def test_wide_gamut_photograph_looks_as_in_a_viewer(kind, channels):
    colour = (180, 120, 90)
    options = {} if kind in ("PNG", "TIFF") else {"quality": 100}
    data = saved(Image.new("RGB", (16, 16), colour), kind, icc_profile=profile_of(*P3), **options)
    expected = in_srgb(colour)
    assert abs(expected[0] - colour[0]) > 5
    if channels == 1:
        expected = [np.dot(expected, (0.299, 0.587, 0.114))]
    assert decode(data, channels, "a")[8, 8].tolist() == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("channels", [1, 3])
def test_wide_gamut_photograph_that_is_reduced_looks_as_in_a_viewer(channels):
    colour = (180, 120, 90)
    photo = Image.new("RGB", (400, 300), colour)
    data = saved(photo, "JPEG", icc_profile=profile_of(*P3), quality=100)
    expected = (
        in_srgb(colour) if channels == 3 else [np.dot(in_srgb(colour), (0.299, 0.587, 0.114))]
    )
    found = decode_square(data, 32, channels, "squeeze", "a")
    assert found[16, 16].tolist() == pytest.approx(expected, abs=3)


def by_littlecms(image, profile):
    """An image in sRGB, as Pillow converts it."""
    source, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")).astype(int)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_adobe_rgb_and_printing_colours_are_converted_as_by_littlecms(kind, printer_profile):
    photo = Image.effect_noise((32, 32), 60).convert("RGB").resize((96, 64))
    red, green, _ = photo.split()
    photo = Image.merge("RGB", (red, green.transpose(Image.Transpose.ROTATE_180), red))
    for mode, profile in (("RGB", profile_of(*ADOBE)), ("CMYK", printer_profile)):
        data = saved(photo.convert(mode), kind, icc_profile=profile, quality=100)
        expected = by_littlecms(Image.open(io.BytesIO(data)), profile)
        found = decode(data, 3, "a").astype(int)
        plain = decode(saved(photo.convert(mode), kind, quality=100), 3, "a")
        assert abs(plain - expected).mean() > 3
        assert abs(found - expected).max() <= 3  # two decoders of JPEG
        assert abs(found - expected).mean() < 0.5


def test_srgb_profile_and_damaged_profiles_change_nothing():
    photo = Image.effect_noise((32, 32), 60).convert("RGB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", profile_of(*P3)[:150]):
        with_profile = saved(photo, "JPEG", icc_profile=profile)
        assert np.array_equal(decode(with_profile, 3, "a"), decode(saved(photo, "JPEG"), 3, "a"))


def test_lab_is_converted_to_rgb():
    lab = Image.new("LAB", (8, 8), (round(53.2 * 2.55), 80 + 128, 67 + 128))
    red = decode(saved(lab, "TIFF"), 3, "a")[4, 4].astype(int)
    assert red[0] > 240
    assert red[1:].max() < 60


@pytest.mark.parametrize("kind", ["AVIF", "PNG", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_every_format_is_turned(kind, orientation):
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:16, :24], picture[16:, :24], picture[16:, 24:] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(picture), kind, exif=exif)
    turned = picture.transpose(1, 0, 2) if orientation > 4 else picture
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    found = decode(data, 3, "a").astype(int)
    assert found.shape == turned.shape
    assert abs(found - turned).mean() < 12


@pytest.mark.parametrize("maximum", [1, 15, 100, 255, 1023, 4095, 65535])
@pytest.mark.parametrize("form", ["binary", "text", "text on one line"])
def test_pnm_is_scaled_by_its_maximum(maximum, form):
    values = np.array([[0, maximum // 2, maximum]])
    if form == "binary":
        pixels = values.astype(">u2" if maximum > 255 else "u1").tobytes()
        data = b"P5\n3 1\n%d\n" % maximum + pixels
    else:
        separator = "\n" if form == "text" else " "
        words = ["P2", "3", "1", str(maximum), *map(str, values.ravel())]
        data = separator.join(words).encode()  # without a final newline
    expected = 255 * values.ravel() / maximum
    assert decode(data, 1, "a").ravel().tolist() == pytest.approx(expected, abs=1)


def test_float_colours_keep_their_order():
    colours = np.zeros((8, 8, 3), np.float32)
    colours[..., 0] = 1
    assert decode(tiff(colours), 3, "a")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RAMP.astype(np.float32) / 252, RAMP / 252 * 255),
        (RAMP.astype(np.float64), RAMP),
        (RAMP.astype(np.float32), RAMP),
        (RAMP.astype(np.int32), RAMP),
        (RAMP.astype(np.uint32), RAMP),
        (RAMP.astype(np.uint16) * 257, RAMP),
        (RAMP, RAMP),
        (np.repeat((RAMP / 255).astype(np.float32)[..., None], 3, 2), RAMP),
    ],
    ids=lambda values: f"{values.dtype} {values.shape}",
)
def test_tiff_of_any_numbers_is_read(values, expected):
    found = decode(tiff(values), 3, "a")
    assert abs(found[..., 0].astype(float) - expected).max() <= 1
    assert np.array_equal(found[..., 0], found[..., 2])


def test_16_bits_of_any_order_and_with_white_as_0():
    values = RAMP.astype(">u2") * 257
    big_endian = saved(Image.frombytes("I;16B", (8, 8), values.tobytes()), "TIFF")
    assert np.array_equal(decode(big_endian, 1, "a")[..., 0], RAMP)
    for inverted in (
        tiff((RAMP.astype(np.uint16) * 257), colours=0),
        tiff(RAMP / 255.0, colours=0),
    ):
        assert abs(decode(inverted, 1, "a")[..., 0].astype(int) - (255 - RAMP)).max() <= 1


@pytest.mark.parametrize("kind", ["<u2", "<f4", "<i4"])
def test_tiff_with_its_channels_one_after_the_other_is_read(kind):
    colours = np.stack([RAMP, RAMP.T, 252 - RAMP], axis=2)
    values = (colours.astype(int) * 257 if kind == "<u2" else colours).astype(kind)
    assert np.array_equal(decode(tiff(values, planes=2), 3, "a"), colours)


def test_tiff_of_a_compression_that_is_not_known_is_refused_and_not_black():
    packed = tiff(np.repeat(RAMP[..., None], 3, 2), packed=34712)
    with pytest.raises(
        ValueError, match=r"3 channels of 8-bit whole numbers \(unknown compression"
    ):
        decode(packed, 3, "a")


def test_white_of_a_deep_jpeg_2000_stays_white():
    levels = np.repeat(RAMP.repeat(8, 0).repeat(8, 1)[..., None].astype(np.uint16) * 257, 3, 2)
    levels[:8] = 65535
    written, data = cv2.imencode(".jp2", levels, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    assert written
    found = decode(data.tobytes(), 3, "a")
    assert (found[:8] == 255).all()
    assert abs(found[8:].astype(int) - (levels[8:] >> 8)).max() <= 1


def test_animation_that_is_cut_off_gives_its_first_frame(tmp_path):
    frames = [Image.effect_noise((32, 32), 60).convert("P") for _ in range(2)]
    whole = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    (tmp_path / "a.gif").write_bytes(whole[:-300])
    assert file_complaint(tmp_path / "a.gif") is None
    assert np.array_equal(read_image(tmp_path / "a.gif", 3), decode(whole, 3, "a"))


def test_a_transparent_grey_of_16_bits_is_white():
    values = RAMP.astype(np.uint16) * 257
    data = saved(Image.fromarray(values), "PNG", transparency=int(values[0, 3]))
    found = decode(data, 1, "a")[..., 0]
    assert found[0, 3] == 255
    assert np.array_equal(found[1:], RAMP[1:])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"P7\nWIDTH 1", "it is a PAM image"),
        (tiff(RAMP.astype(np.float32) * 9), r"has floats from 0 to 2268 .* 0 to 1 or 0 to 255"),
        (tiff(RAMP.astype(np.float32) - 9), r"has floats from -9 to 243 as pixels"),
        (tiff(np.full((4, 4), np.nan, np.float32)), r"not numbers \(NaN or infinite\)"),
        (tiff(RAMP.astype(np.int32) * 99), r"whole numbers of 32 bits from 0 to .* 0 to 255"),
        (tiff(RAMP, packed=50001), r"is a TIFF image with webp compression, which cannot be read"),
        (tiff(np.repeat(RAMP.astype(np.float64)[..., None], 7, 2)), r"7 channels of 64-bit floats"),
        (tiff(np.repeat(RAMP[..., None], 5, 2)), r"5 channels of 8-bit whole numbers"),
        (b"%PDF-1.7 ...", "it is a PDF document"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", r"Git LFS pointer.*git lfs pull"),
        (b"PK\x03\x04" + bytes(40), "it is a zip archive"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "it is a video"),
        (bytes(5000), "a file of zeros: it was not copied completely"),
        (b"<?xml version='1.0'?><svg xmlns=''>", "it is an SVG drawing"),
        (b"\xff\x0a" + bytes(40), "it is a JPEG XL image"),
        (bytes(128) + b"DICM" + bytes(40), "it is a DICOM image"),
        (b"just a note", "it is a text"),
        (b"", "is empty: it has no bytes"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(tmp_path, data, text):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=text):
        read_image(tmp_path / "a.png", 3)
    assert file_complaint(tmp_path / "a.png")


def jpeg(size=(64, 64), **options):
    return saved(Image.effect_noise(size, 50).convert("RGB"), "JPEG", **options)


def test_motion_photo_is_read(tmp_path):
    """A JPEG followed by a video, in which bytes look like the start of another scan."""
    photo = jpeg()
    (tmp_path / "a.jpg").write_bytes(photo + b"\0\0\0\x18ftypmp42" + b"\xff\xda\xff" * 99)
    assert file_complaint(tmp_path / "a.jpg") is None
    assert np.array_equal(read_image(tmp_path / "a.jpg", 3), decode(photo, 3, "a"))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_jpeg_whose_pixels_end_early_is_found_whatever_follows(tmp_path, progressive, share):
    thumbnail = jpeg((16, 16))
    exif = Image.Exif()
    exif[0x927C] = thumbnail  # has an end of its own
    photo = jpeg(progressive=progressive, exif=exif)
    start = photo.rindex(b"\xff\xc4") if progressive else photo.rindex(b"\xff\xda")
    cut = photo[: start + int(share * (len(photo) - start))]
    for tail in (b"", bytes(300)):
        (tmp_path / "a.jpg").write_bytes(cut + tail)
        assert "truncated" in (file_complaint(tmp_path / "a.jpg") or "")
        with pytest.raises(ValueError, match="is truncated"):
            read_image(tmp_path / "a.jpg", 3)


def test_jpeg_of_a_header_only_is_found(tmp_path):
    photo = jpeg()
    scan = photo.index(b"\xff\xda")
    for data in (photo[:scan], photo[:scan] + b"\xff\xd9", photo[: scan + 14] + b"\xff\xd9"):
        (tmp_path / "a.jpg").write_bytes(data)
        assert "truncated" in (file_complaint(tmp_path / "a.jpg") or "")


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG2000", "PPM", "TIFF", "PNG", "AVIF", "WEBP"])
def test_half_a_file_of_every_format_is_found(tmp_path, kind):
    data = saved(Image.effect_noise((64, 64), 50).convert("RGB"), kind)
    for part in (data[: len(data) // 2], data[:-40]):
        (tmp_path / "a.png").write_bytes(part)
        assert file_complaint(tmp_path / "a.png")


def test_check_finds_what_decoding_finds(tmp_path):
    """A damaged table of a JPEG, and any byte of other formats, changed at random."""
    rng = np.random.default_rng(0)
    file = tmp_path / "a"
    for kind in ("JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF"):
        whole = saved(Image.effect_noise((24, 24), 50).convert("RGB"), kind)
        for _ in range(120):
            data = bytearray(whole)
            data[rng.integers(len(data))] = rng.integers(256)
            file.write_bytes(data)
            try:
                read_image(file, 3)
                fault = ""
            except ValueError as error:
                fault = str(error)
            assert bool(check_file(file).fault) == bool(fault), (kind, fault)


def test_jpeg_beyond_the_limit_is_reduced_while_it_is_decoded(monkeypatch):
    photo = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    whole = decode(saved(photo, "JPEG", quality=95), 3, "a")
    monkeypatch.setenv("LIGHTNING_CLI_MAX_PIXELS", "100000")
    for channels in (1, 3):
        half = decode(saved(photo, "JPEG", quality=95), channels, "a")
        assert half.shape == (240, 320, channels)
        expected = cv2.resize(whole, (320, 240), interpolation=cv2.INTER_AREA)
        assert abs(half.astype(int) - expected[..., :channels]).mean() < 2
    with pytest.raises(ValueError, match="640 x 480 pixels, more than 100,000"):
        decode(saved(photo, "PNG"), 3, "a")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK", "YCbCr"])
def test_every_mode_gives_three_channels(mode):
    source = Image.fromarray(RAMP).resize((40, 30))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(source).astype(np.uint16) * 257)
    else:
        image = source.convert("RGB").convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    assert decode(saved(image, kind), 3, "a").shape == (30, 40, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 9000), (9000, 1)])
def test_extreme_shapes_are_read(size):
    for kind in ("PNG", "JPEG", "TIFF"):
        data = saved(Image.new("RGB", size, (9, 99, 199)), kind)
        assert decode(data, 3, "a").shape == (size[1], size[0], 3)


def test_heif_is_read_with_its_package_and_named_without(tmp_path, monkeypatch):
    pytest.importorskip("pillow_heif")
    assert open_image.can_read_heif()
    Image.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / "a.heic", quality=100)
    image = read_image(tmp_path / "a.heic", 3)
    assert image.shape == (48, 64, 3)
    assert image[20, 20].tolist() == pytest.approx([200, 100, 50], abs=6)
    monkeypatch.setattr(open_image, "can_read_heif", lambda: False)
    text = open_image._not_an_image((tmp_path / "a.heic").read_bytes()[:512], "a", OSError())
    assert text.startswith("a is a HEIF image, which needs a package: pip install")


def test_two_pages_and_stereo_photographs_give_the_first(tmp_path):
    pages = [Image.new("RGB", (32, 32), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    for kind in ("TIFF", "MPO", "GIF", "WEBP", "PNG"):
        data = saved(pages[0], kind, save_all=True, append_images=pages[1:])
        assert decode(data, 3, "a")[9, 9].tolist() == pytest.approx([250, 0, 0], abs=4)
