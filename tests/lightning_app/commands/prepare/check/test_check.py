import re
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from lightning_app.commands.prepare.check.check import check, find, list_dataset
from lightning_app.commands.prepare.check.data_options import data_options, name_of_dataset
from lightning_app.commands.prepare.check.survey import survey


def found(data, **options):
    """Names of the exhibits under each title."""
    listing = list_dataset(data, **options)
    findings = find(listing, survey(listing.entries, 1))
    return {
        finding.title: [exhibit.name for group in finding.groups for exhibit in group]
        for finding in findings
    }


def test_sound_dataset_has_no_finding(sound):
    assert found(sound) == {}


def test_unreadable_files(sound, save):
    folder = sound / "train/cat"
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    whole = save("train/cat/half.jpg", 200).read_bytes()
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "bomb.png").write_bytes(png(30_000, 30_000))
    (folder / "large.png").write_bytes(png(11_000, 11_000))
    (folder / "garbage.png").write_bytes(png(64, 64))
    assert found(sound) == {
        "Empty files": ["train/cat/empty.jpg"],
        "Files that are not images": ["train/cat/text.png"],
        "Truncated files": ["train/cat/half.jpg"],
        "Images with too many pixels": ["train/cat/bomb.png", "train/cat/large.png"],
        "Broken image files": ["train/cat/garbage.png"],
    }


def test_unusual_files(sound, save, photograph):
    frames = [Image.fromarray(photograph(seed)) for seed in (300, 301)]
    frames[0].save(sound / "train/cat/moving.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(photograph(302)).convert("CMYK").save(sound / "train/cat/print.jpg")
    save("train/cat/deep.png", photograph(303)[..., 0].astype(np.uint16) * 16)
    save("train/cat/clear.png", np.dstack([photograph(304), np.full((64, 64), 99, np.uint8)]))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("train/cat/turned.jpg", 305, exif=exif)
    save("train/cat/really_png.jpg", 306, format="PNG")
    assert found(sound) == {
        "Animated images and images of several pages": ["train/cat/moving.gif"],
        "Images in printing colours": ["train/cat/print.jpg"],
        "Images of 16 bits or more": ["train/cat/deep.png"],
        "Nearly black images": ["train/cat/deep.png"],
        "Transparent images": ["train/cat/clear.png"],
        "Images that EXIF data rotate": ["train/cat/turned.jpg"],
        "Files with the ending of another format": ["train/cat/really_png.jpg"],
    }


def test_an_animation_that_is_cut_off_is_read_by_its_first_frame(sound, save, photograph):
    frames = [Image.fromarray(photograph(seed)) for seed in (500, 501)]
    file = save("train/cat/cut.gif", 500, save_all=True, append_images=frames[1:])
    file.write_bytes(file.read_bytes()[:-900])
    assert found(sound) == {"Animated images and images of several pages": ["train/cat/cut.gif"]}


def test_a_whole_image_of_a_kind_that_is_not_read_is_not_called_broken(sound):
    floats = np.full((40, 40), 999.0, np.float32)
    Image.fromarray(floats).save(sound / "train" / "cat" / "heights.tif")
    assert found(sound) == {"Images of kinds that are not supported": ["train/cat/heights.tif"]}


def test_files_that_training_does_not_see(sound, save, tmp_path):
    outside = shutil.copy(sound / "train/cat/0.png", tmp_path / "outside.png")
    (sound / "train/cat/link.png").symlink_to(outside)
    (sound / "train/linked").symlink_to(sound / "train/cat")
    save("train/loose.png", 400)
    save("more/cat/1.png", 401)
    (sound / "train/cat/notes.txt").write_text("notes")
    save("train/cat/photo.bak", 402, format="PNG")
    save(".hidden/cat/1.png", 403)
    assert found(sound) == {
        "Links that are not followed": ["train/linked", "train/cat/link.png"],
        "Images outside class folders": ["train/loose.png", "more/cat/1.png"],
        "Other files": ["train/cat/notes.txt"],
        "Images of kinds that are not read": ["train/cat/photo.bak"],
        "Folders with images that are not used": ["more"],
    }


def test_unusual_sizes(sound, save, photograph):
    save("train/cat/tiny.png", photograph(500, (30, 40)))
    save("train/cat/narrow.png", photograph(501, (200, 64)))
    save("train/cat/other.png", photograph(502, (64, 60)))
    assert found(sound) == {
        "Images smaller than 32 pixels": ["train/cat/tiny.png"],
        "Images more than 3 times as long as wide": ["train/cat/narrow.png"],
        "Images that are not 64 x 64, unlike most": [
            *("train/cat/narrow.png", "train/cat/other.png", "train/cat/tiny.png")
        ],
    }


def test_copies_are_reported_under_the_worst_harm_that_they_do(sound, save, photograph):
    save("train/dog/contradiction.png", 0)
    save("val/cat/leak.png", 1, compress_level=1)
    save("test/cat/near_leak.jpg", photograph(2), quality=70)
    save("train/dog/near_contradiction.jpg", photograph(3), quality=70)
    save("train/cat/repeat.png", 4)
    save("train/cat/near_repeat.jpg", photograph(5), quality=70)
    assert found(sound) == {
        "The same image under several labels": ["train/cat/0.png", "train/dog/contradiction.png"],
        "The same image in several splits": ["train/cat/1.png", "val/cat/leak.png"],
        "Nearly the same image in several splits": ["train/cat/2.png", "test/cat/near_leak.jpg"],
        "Nearly the same image under several labels": [
            *("train/cat/3.png", "train/dog/near_contradiction.jpg")
        ],
        "The same image several times in a split": ["train/cat/4.png", "train/cat/repeat.png"],
        "Nearly the same image several times in a split": [
            *("train/cat/5.png", "train/cat/near_repeat.jpg")
        ],
    }


def test_status_is_1_after_an_error_and_the_report_is_written(sound, save, tmp_path, capsys):
    save("val/cat/leak.png", 1)
    with pytest.raises(SystemExit) as end:
        check([str(sound), "--out", str(tmp_path / "page.html"), "--processes", "2"])
    assert end.value.code == 1
    assert "The same image in several splits" in (tmp_path / "page.html").read_text()
    text = capsys.readouterr().out
    assert re.search(r"error +1  The same image in several splits", text)
    assert "= val/cat/leak.png (cat in val)" in text
    assert "Training would fail or leak: 1 error." in text
    assert max(map(len, text.replace(str(tmp_path), "").splitlines())) <= 100


def test_warnings_leave_the_status_0(sound, save, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save("train/cat/repeat.png", 0)
    check([str(sound), "--processes", "1"])
    assert (tmp_path / "checks" / f"{sound.name}.html").is_file()
    assert (tmp_path / "checks" / ".gitignore").read_text() == "*\n"
    assert "Training can start: 1 warning." in capsys.readouterr().out


def test_several_processes_find_what_one_finds(sound):
    entries = list_dataset(sound).entries
    alone, together = survey(entries, 1), survey(entries, 2)
    assert [facts.digest for facts in alone] == [facts.digest for facts in together]
    assert len({facts.digest for facts in together}) == len(entries)


def test_missing_dataset_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no file or folder .*nowhere"):
        list_dataset(tmp_path / "nowhere")


def test_root_is_for_csv_files(sound):
    with pytest.raises(ValueError, match=r"--root is for tables of image files; .* is none"):
        list_dataset(sound, root=sound)


@pytest.mark.parametrize(("number", "found_sizes"), [(5, True), (6, False)])
def test_other_sizes_are_found_if_four_fifths_of_the_images_have_one_size(
    save, photograph, tmp_path, number, found_sizes
):
    for index in range(20):
        save(f"{'cat' if index % 2 else 'dog'}/{index}.png", index)
    others = [f"cat/other{index}.png" for index in range(number)]
    for index, name in enumerate(others):
        save(name, photograph(100 + index, (64, 60 - index)))
    title = "Images that are not 64 x 64, unlike most"
    assert found(tmp_path / "data").get(title, []) == (others if found_sizes else [])


def png(width, height):
    """A PNG file whose header promises a size and whose pixels are garbage."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"garbage") + chunk(b"IEND", b"")


def test_exact_copies_of_training_images_are_counted(sound, save):
    save("val/cat/leak.png", 1)
    save("val/dog/leak.png", 2)  # a cat in training
    listing = list_dataset(sound)
    [leak] = [f for f in find(listing, survey(listing.entries, 1)) if "several splits" in f.title]
    expected = "2 of the 6 val images are exact copies of training images, 1 with the same label. "
    assert leak.advice.startswith(expected)


def test_options_of_a_fit_take_their_values_and_leave_the_others():
    arguments = ["DATA", "--data.pattern", "^(a)", "--out", "x.html", "--config=a.yaml"]
    of_data, others = data_options(arguments)
    assert of_data == ["--data.pattern", "^(a)", "--config=a.yaml"]
    assert others == ["DATA", "--out", "x.html"]
    assert name_of_dataset(None, of_data) == "a"


def test_check_with_options_of_a_fit_uses_its_splits(save, tmp_path, monkeypatch, capsys):
    for number in range(8):
        for label in ("cat", "dog"):
            save(f"{label}_{number}.png", 100 * (label == "dog") + number)
    save("dog_9.png", 100)  # a copy that is validated on
    monkeypatch.chdir(tmp_path)
    options = [r"--data.pattern=^(\w+)_", "--data.split.val_last_n", "2", "--data.split.test", "0"]
    with pytest.raises(SystemExit):
        check(["data", *options])
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 of the 2 val images are exact copies of training images, 1 with the same" in printed
    assert (tmp_path / "checks" / "data.html").is_file()
    with pytest.raises(ValueError, match=r"With --config or --data, write --data\.root"):
        check(["data", "--root", "x", *options])
    with pytest.raises(ValueError, match=r"needs a dataset: DATA, or --config FILE\.yaml"):
        check([])
