import numpy as np
import pytest
from PIL import Image

from datamodules.sources import decode
from datamodules.sources.decode import file_complaint, read_image


def test_colours_come_as_rgb(tmp_path, write_image):
    image = read_image(write_image(tmp_path / "a.png", color=(200, 100, 50)), 3)
    assert image.shape == (10, 20, 3)
    assert image[0, 0].tolist() == [200, 100, 50]


def test_grey_is_the_luminance(tmp_path, write_image):
    image = read_image(write_image(tmp_path / "a.png", color=(200, 100, 50)), 1)
    assert image.shape == (10, 20, 1)
    assert abs(int(image[0, 0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1


def test_photographs_are_rotated_by_their_exif_data(tmp_path, write_image):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    file = write_image(tmp_path / "a.jpg", size=(20, 10), exif=exif)
    assert read_image(file, 3).shape == (20, 10, 3)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no image file .*gone\.png"):
        read_image(tmp_path / "gone.png", 3)


def test_file_that_is_not_an_image_is_named(tmp_path):
    file = tmp_path / "notes.png"
    file.write_text("not a picture")
    with pytest.raises(ValueError, match=r"notes\.png is not an image that can be read"):
        read_image(file, 3)


def test_truncated_file_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    file = tmp_path / "half.png"
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"half\.png is truncated"):
        read_image(file, 3)


def test_decompression_bomb_is_refused_before_decoding(tmp_path, write_image, monkeypatch):
    monkeypatch.setenv("LIGHTNING_CLI_MAX_PIXELS", "150")
    with pytest.raises(ValueError, match="has 20 x 10 pixels, more than 150"):
        read_image(write_image(tmp_path / "a.png"), 3)


def test_transparent_parts_are_white(tmp_path):
    picture = Image.new("RGBA", (4, 2), (200, 100, 50, 255))
    picture.putpixel((0, 0), (200, 100, 50, 0))
    picture.putpixel((1, 0), (200, 100, 50, 128))
    picture.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", 3)
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 1].tolist() == pytest.approx([227, 177, 152], abs=1)  # half of each
    assert image[1, 3].tolist() == [200, 100, 50]


def test_transparent_colour_of_a_palette_becomes_white(tmp_path):
    picture = Image.new("P", (4, 2))
    picture.putpalette([0, 0, 0, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png", transparency=0)
    image = read_image(tmp_path / "a.png", 3)
    assert image[0, :2].tolist() == [[255, 255, 255], [200, 100, 50]]


def test_sixteen_bits_become_eight(tmp_path):
    Image.fromarray(np.array([[0, 25700, 65535]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", 1).ravel().tolist() == [0, 100, 255]
    assert read_image(tmp_path / "a.png", 3)[0, 1].tolist() == [100, 100, 100]


def test_printing_colours_are_converted_to_rgb(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    assert read_image(tmp_path / "a.jpg", 3)[8, 8].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif", 3)[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_file_without_its_end_is_named(tmp_path, ending, share):
    """OpenCV would silently fill the rest of a JPEG with grey."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    file = tmp_path / f"half.{ending}"
    Image.fromarray(noise).save(file)
    whole = file.read_bytes()
    assert file_complaint(file) is None
    file.write_bytes(whole[: int(share * len(whole))])
    assert "half" in file_complaint(file)
    with pytest.raises(ValueError, match=rf"half\.{ending} is (truncated|not an image)"):
        read_image(file, 3)


def test_bytes_after_the_end_are_ignored(tmp_path, write_image):
    file = write_image(tmp_path / "a.jpg")
    file.write_bytes(file.read_bytes() + b"camera maker's notes" * 10)
    assert file_complaint(file) is None
    assert read_image(file, 3).shape == (10, 20, 3)


def test_empty_file_is_named(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert file_complaint(tmp_path / "a.jpg").endswith("a.jpg is empty: it has no bytes.")
    with pytest.raises(ValueError, match=r"a\.jpg is empty"):
        read_image(tmp_path / "a.jpg", 3)


def test_folder_in_place_of_a_file_is_named(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    assert "a.jpg cannot be read: Is a directory." in file_complaint(tmp_path / "a.jpg")


@pytest.mark.parametrize("ending", sorted(decode.EXTENSIONS - {".jp2", ".avif"}))
def test_every_ending_is_read(tmp_path, ending):
    kind = {".jfif": "JPEG", ".jpe": "JPEG", ".dib": "BMP", ".pnm": "PPM"}.get(ending)
    mode = {".pbm": "1", ".pgm": "L"}.get(ending, "RGB")
    file = tmp_path / f"a{ending}"
    Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode).save(file, kind)
    assert read_image(file, 3).min() >= 250
