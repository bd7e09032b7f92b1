import numpy as np
import pytest
from PIL import Image

from datamodules.sources import decode
from datamodules.sources.decode import read_image


def test_colours_come_as_rgb(tmp_path, write_image):
    image = read_image(write_image(tmp_path / "a.png", color=(200, 100, 50)), 3)
    assert image.shape == (10, 20, 3)
    assert image[0, 0].tolist() == [200, 100, 50]


def test_grey_is_the_luminance(tmp_path, write_image):
    image = read_image(write_image(tmp_path / "a.png", color=(200, 100, 50)), 1)
    assert image.shape == (10, 20, 1)
    assert abs(int(image[0, 0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1


def test_photographs_are_turned_as_their_camera_says(tmp_path, write_image):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    file = write_image(tmp_path / "a.jpg", size=(20, 10), exif=exif)
    assert read_image(file, 3).shape == (20, 10, 3)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no image file .*gone\.png"):
        read_image(tmp_path / "gone.png", 3)


def test_file_that_is_no_image_is_named(tmp_path):
    file = tmp_path / "notes.png"
    file.write_text("not a picture")
    with pytest.raises(ValueError, match=r"notes\.png is no image that can be read"):
        read_image(file, 3)


def test_truncated_file_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    file = tmp_path / "half.png"
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"half\.png is broken"):
        read_image(file, 3)


def test_decompression_bomb_is_refused_by_its_header(tmp_path, write_image, monkeypatch):
    monkeypatch.setattr(decode, "MAX_PIXELS", 150)
    with pytest.raises(ValueError, match="has 20 x 10 pixels, more than 150"):
        read_image(write_image(tmp_path / "a.png"), 3)
