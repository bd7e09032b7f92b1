"""Files that ask for more memory than there is, and files that are none: no decoder sees them."""

import io
import os
import resource
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from datamodules.sources.decode import UnreadableImageError, decode, file_complaint, read_image
from datamodules.sources.files import FileReader
from datamodules.sources.image_limits import LIMIT, jpeg_size
from datamodules.sources.shards import ShardReader, ShardStore, StoredFile
from lightning_app.commands.prepare.check.facts import format_of, inspect

SIDE = 16_000
MEGABYTE = 2**20


def huge_jpeg(noise=b""):
    """A JPEG of some hundred bytes whose header says 16,000 x 16,000."""
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG")
    data = stream.getvalue()
    place = data.index(b"\xff\xc0") + 5
    data = data[:place] + struct.pack(">HH", SIDE, SIDE) + data[place + 4 :]
    return data[:2] + noise + data[2:]


def huge_png():
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def huge_bmp():
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


HUGE = {
    "a.jpg": huge_jpeg(),
    "fill.jpg": huge_jpeg(b"\xff\xff\xff"),
    "comment.jpg": huge_jpeg(b"\xff\xfe\x00\x05\xff\xc0x"),
    "restart.jpg": huge_jpeg(b"\xff\xd0\xff\x01"),
    "many.jpg": huge_jpeg(b"\xff\xd0" * 20_000),
    "a.png": huge_png(),
    "a.bmp": huge_bmp(),
}


@pytest.fixture(params=HUGE.items(), ids=list(HUGE))
def huge(request, tmp_path):
    name, content = request.param
    (tmp_path / name).write_bytes(content)
    yield tmp_path / name
    # The decoder would take 244 MB for a grey image.
    assert len(content) < 100_000


@pytest.fixture
def little_memory():
    """Half the memory that the image would take, above what the process has now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 100 * MEGABYTE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_huge_image_is_refused_by_every_reader(huge, little_memory):
    with pytest.raises(UnreadableImageError, match=r"more than 100,000,000"):
        read_image(huge, 3)
    with pytest.raises(UnreadableImageError, match=r"more than 100,000,000"):
        decode(huge.read_bytes(), 1, "shard: a")
    assert file_complaint(huge)  # Pillow takes some of them for no image
    assert FileReader(huge.parent, [huge.name], 8, 3).checks(np.array([0]), "")[0].fault
    assert "100,000,000" in inspect(huge).complaint


def test_error_says_how_to_raise_the_limit(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(huge_jpeg())
    with pytest.raises(ValueError, match=rf"To read it, set {LIMIT}={SIDE * SIDE}\."):
        read_image(tmp_path / "a.jpg", 3)
    monkeypatch.setenv(LIMIT, str(SIDE * SIDE))
    assert "pixels" not in (file_complaint(tmp_path / "a.jpg") or "")


def test_image_below_a_raised_limit_is_read(tmp_path, monkeypatch):
    """Pillow has a limit of its own, 89 million pixels."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9_000, 10_000), np.uint8))
    assert read_image(tmp_path / "a.png", 1).shape == (9_000, 10_000, 1)
    monkeypatch.setenv(LIMIT, "89999999")
    with pytest.raises(ValueError, match=f"set {LIMIT}=90000000"):
        read_image(tmp_path / "a.png", 1)


@pytest.mark.parametrize("value", ["", "many", "-1", "0", "1e8", str(2**31)])
def test_limit_that_is_no_number_is_refused(tmp_path, write_image, monkeypatch, value):
    monkeypatch.setenv(LIMIT, value)
    with pytest.raises(ValueError, match=f"{LIMIT} is '{value}'; expected a number of pixels"):
        read_image(write_image(tmp_path / "a.png"), 3)


@pytest.mark.parametrize("quality", [1, 50, 100])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": b"\xff\xc0" * 99}])
def test_size_of_a_jpeg_is_that_of_pillow(quality, options):
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "\xff\xc0\x00\x11\x08\x00\x01\x00\x01"
    Image.new("RGB", (123, 45)).save(stream, "JPEG", quality=quality, exif=exif, **options)
    assert jpeg_size(stream.getvalue()) == (123, 45)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\x00", b"\xff" * 99])
def test_damaged_jpeg_has_no_size(data):
    assert jpeg_size(data) is None


def test_sparse_file_is_not_read_into_memory(tmp_path, little_memory):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ValueError, match="has 1,000,000,000,000 bytes, more than an image"):
        read_image(tmp_path / "a.png", 3)
    assert "bytes, more than an image" in file_complaint(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["pipe", "device", "link"])
def test_pipes_and_devices_are_no_images(tmp_path, kind):
    file = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero" if kind == "device" else "/dev/stdin")
    if not file.exists():
        pytest.skip(f"{kind} is not there")
    with pytest.raises(UnreadableImageError, match=r"a\.png (is not a file|cannot be read)"):
        read_image(file, 3)
    assert "a.png" in file_complaint(file)
    assert inspect(file).fault == "broken"
    assert format_of(file) == ""


def test_pipe_among_images_is_named(folder, tmp_path, write_image, refused):
    for name in ("cat/a.png", "cat/b.png", "dog/a.png", "dog/b.png"):
        write_image(tmp_path / "data" / name)
    os.mkfifo(tmp_path / "data" / "cat" / "c.png")
    data = ("--data", "ImageFolderDataModule", "--data.root", tmp_path / "data")
    text = "c.png is not a file, but a named pipe or a device."
    assert text in refused("fit", "--config", "config.yaml", *data, "--data.image_size", 8)
    pictures = ("--images", tmp_path / "data")
    assert text in refused("fit", tmp_path / "data", "--recipe", "scratch")
    assert text in refused("explain", "--ckpt_path", folder / "best.ckpt", *pictures)


@pytest.mark.parametrize(
    "place", [(0, 0, 10**12), (0, 99, 2), (0, -1, 5), (0, 5, -1), (1, 0, 1), (-1, 0, 1)]
)
def test_shard_index_that_points_outside_its_shards_is_refused(place):
    names = ("shard", "offset", "size", "name", "extension")
    images = pd.DataFrame([(*place, "a", "png")], columns=names)
    shards = [StoredFile("train-0.tar", 100, "0" * 64)]
    with pytest.raises(ValueError, match=r"places images outside of its shards"):
        ShardReader(ShardStore("shards", 0), shards, images, 8, 3)
