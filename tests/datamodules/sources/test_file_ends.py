"""The quick look at very many files, and what is made of damage that it does not see."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch.distributed as dist
from PIL import Image

from datamodules import ImageFolderDataModule, Options
from datamodules.sources import checked_files, readability
from datamodules.sources.decode import GOOD, check_file
from datamodules.sources.file_ends import HEAD, SOUND_ENDS, check_ends
from datamodules.sources.files import FileReader
from datamodules.sources.packed_images import PackedReader, pack
from datamodules.sources.shared_checks import shared_checks
from datamodules.sources.source import DamagedImageError, ImageSource
from lightning_app.cli.errors.user_errors import IN_WORKER

TABLE = b"\xff\xc4\0\x20"  # a marker that does not belong between pixels


def write_large_jpeg(file):
    """Write a JPEG of noise, whose bytes are several times those that a quick look reads."""
    rng = np.random.default_rng(0)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (240, 240, 3), np.uint8)).save(file, quality=95)
    assert file.stat().st_size > 2 * HEAD
    return file


def damage(file):
    """Put a marker into the middle of the pixels, where decoders stop."""
    data = bytearray(file.read_bytes())
    half = len(data) // 2
    data[half : half + len(TABLE)] = TABLE
    file.write_bytes(data)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of ten large JPEG files; more than four count as very many."""
    monkeypatch.chdir(tmp_path)  # where the cache is
    monkeypatch.setattr(readability, "MANY_FILES", 4)
    first = write_large_jpeg(tmp_path / "images" / "cat" / "0.jpg").read_bytes()
    (tmp_path / "images" / "dog").mkdir()
    for number in range(20):
        (tmp_path / "images" / ("cat", "dog")[number % 2] / f"{number}.jpg").write_bytes(first)
    return tmp_path / "images"


def fit_data(folder, **options):
    data = ImageFolderDataModule(folder, image_size=8, num_workers=0, options=Options(**options))
    data.setup("fit")
    return data


def a_training_file(folder):
    data = ImageFolderDataModule(folder, image_size=8)
    return folder / data.sources["train"].names[0]


def test_the_ends_do_not_show_damage_in_the_middle_but_all_bytes_do(tmp_path):
    file = write_large_jpeg(tmp_path / "a.jpg")
    assert (check_ends(str(file)), check_file(file)) == (SOUND_ENDS, GOOD)
    damage(file)
    assert check_ends(str(file)) == SOUND_ENDS
    assert "is damaged: the marker C4" in check_file(file).fault


@pytest.mark.parametrize("keep", [10, 1000, -1])
def test_a_file_without_its_end_is_found_by_its_ends(tmp_path, keep):
    file = write_large_jpeg(tmp_path / "a.jpg")
    file.write_bytes(file.read_bytes()[:keep])
    assert check_ends(str(file)) == check_file(file)
    assert check_ends(str(file)).fault


def test_what_the_ends_leave_open_is_read_in_full(tmp_path, write_image):
    small = write_image(tmp_path / "small.jpg")
    progressive = write_large_jpeg(tmp_path / "progressive.jpg")
    Image.open(progressive).save(progressive, progressive=True, quality=95)
    followed = write_large_jpeg(tmp_path / "followed.jpg")
    followed.write_bytes(followed.read_bytes() + b"a video")
    noted = write_large_jpeg(tmp_path / "noted.jpg")
    Image.open(noted).save(noted, quality=95, comment=b"x" * HEAD)
    files = [small, progressive, followed, noted, write_image(tmp_path / "a.png")]
    assert [check_ends(str(file)) for file in files] == [GOOD] * 5
    damage(progressive)
    assert check_ends(str(progressive)) == check_file(progressive)
    assert "There is no image file" in check_ends(str(tmp_path / "none.jpg")).fault


def test_ends_are_remembered_but_do_not_stand_for_a_full_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = str(write_large_jpeg(tmp_path / "a.jpg"))
    looked = []

    def look(quick):
        [check] = checked_files.check_files(lambda _: file, 1, "", quick)
        return check

    for name in ("check_ends", "check_file"):
        check = getattr(checked_files, name)
        recording = lambda path, name=name, check=check: looked.append(name) or check(path)  # noqa: E731
        monkeypatch.setattr(checked_files, name, recording)
    assert [look(quick) for quick in (True, True, False)] == [SOUND_ENDS, SOUND_ENDS, GOOD]
    assert looked == ["check_ends", "check_file"]
    assert [look(quick) for quick in (True, False)] == [GOOD, GOOD]
    assert len(looked) == 2


def test_a_fit_of_very_many_files_ends_at_a_damaged_one_with_its_name(folder, messages):
    bad = a_training_file(folder)
    damage(bad)
    data = fit_data(folder)
    assert "train: of more than 4 images, the first and last bytes of JPEG files" in messages.text
    assert data.sources["val"].is_checked
    with pytest.raises(DamagedImageError, match=f"{bad.name} is damaged.*It is found only now"):
        list(data.train_dataloader())
    data.num_workers = 1
    with pytest.raises(DamagedImageError) as error:
        list(data.train_dataloader())
    found = IN_WORKER.search(str(error.value))  # what the command line prints
    assert found is not None
    assert found["message"].startswith(f"{bad} is damaged")
    assert found["message"].endswith("on_error skip leaves them out before training.")


def test_a_file_that_vanishes_from_very_many_is_still_replaced(folder):
    data = fit_data(folder)
    assert not data.sources["train"].is_checked
    (folder / data.sources["train"].names[0]).unlink()
    data.batch_size = len(data.sources["train"])
    [(images, _, indices)] = data.train_dataloader()
    assert len(images) == len(indices)
    assert data.unreadable("train").tolist() == [1] + [0] * (len(images) - 1)


@pytest.mark.parametrize("options", [{"on_error": "skip"}, {"cache": "ram"}])
def test_whoever_asks_for_more_has_all_bytes_read(folder, options):
    bad = a_training_file(folder)
    damage(bad)
    if "cache" in options:
        with pytest.raises(ValueError, match=r"1 of 20 images cannot be read"):
            fit_data(folder, **options)
        return
    with pytest.warns(UserWarning, match=r"1 of 20 images cannot be read.*\n.*is damaged"):
        data = fit_data(folder, **options)
    assert data.sources["train"].is_checked
    assert f"{bad.parent.name}/{bad.name}" not in data.sources["train"].names


def test_other_commands_read_all_bytes(folder, monkeypatch):
    monkeypatch.setattr(readability, "MANY_FILES", 1)
    data = fit_data(folder)
    assert not data.sources["test"].is_checked
    damage(folder / data.sources["test"].names[0])
    with pytest.raises(ValueError, match=r"1 of 4 images cannot be read"):
        data.setup("test")


def test_images_in_a_table_are_looked_at_in_the_same_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_large_jpeg(tmp_path / "a.jpg")
    contents = [file.read_bytes(), b"%PDF"]
    damage(file)
    contents.append(file.read_bytes())
    pq.write_table(pa.table({"image": contents}), "images.parquet")
    places = np.array([[0, 0], [0, 1], [0, 2]])
    reader = PackedReader([pack(Path("images.parquet"), "image")], places, ["a", "b", "c"], 8, 3)
    found = reader.checks(np.arange(3), "", quick=True)
    assert (found[0], found[2]) == (SOUND_ENDS, SOUND_ENDS)
    assert "PDF" in found[1].fault
    assert "is damaged" in reader.checks(np.arange(3), "")[2].fault


def test_processes_that_share_the_look_agree_that_ends_were_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a.jpg", "b.jpg", "c.jpg"]
    for name in names[:2]:
        write_large_jpeg(tmp_path / name)

    def check(rank):
        dist.init_process_group("gloo", f"file://{tmp_path}/meeting", rank=rank, world_size=2)
        source = ImageSource(FileReader(tmp_path, names, 8, 3), np.zeros(3, np.int64), names)
        found = shared_checks(source, "", quick=True)
        assert found[:2] == [SOUND_ENDS, SOUND_ENDS]
        assert "There is no image file" in found[2].fault

    children = []
    for rank in range(2):
        if not (child := os.fork()):
            status = 1
            try:
                check(rank)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
