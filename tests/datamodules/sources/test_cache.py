from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

from datamodules import ImageFolderDataModule, Options
from datamodules.sources import cache


@pytest.fixture
def folder(tmp_path, write_image, monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "cache")
    for name in ("cat", "dog"):
        for index in range(6):
            write_image(tmp_path / "images" / name / f"{index}.png", color=(index, 9, 9))
    return tmp_path / "images"


def make(folder, where, **options):
    data = ImageFolderDataModule(
        folder, image_size=8, num_workers=0, options=Options(cache=where, **options)
    )
    data.setup("fit")
    return data


@pytest.mark.parametrize("where", ["ram", "disk"])
def test_cached_images_are_those_of_the_files(folder, where):
    plain, kept = make(folder, "none").sources["train"], make(folder, where).sources["train"]
    assert kept.names == plain.names
    for index in range(len(plain)):
        np.testing.assert_array_equal(kept.read(index), plain.read(index))


def test_next_start_maps_what_is_on_disk(folder, monkeypatch):
    first = make(folder, "disk").sources["train"]
    monkeypatch.delattr(cache, "_fill")
    second = make(folder, "disk").sources["train"]
    assert isinstance(second.reader.images, np.memmap)
    assert second.fingerprint() == first.fingerprint()


def test_changed_file_is_decoded_anew(folder, write_image):
    before = make(folder, "disk").sources["train"]
    name = before.names[0]
    write_image(folder / name, color=(0, 0, 0))
    after = make(folder, "disk").sources["train"]
    assert after.read(after.names.index(name)).max() == 0


@pytest.mark.parametrize("where", ["ram", "disk"])
def test_processes_share_one_copy_however_they_are_started(folder, where):
    """Spawned processes get the data set pickled, as by default from Python 3.14 on."""
    source = make(folder, where).sources["train"]
    pickled = ForkingPickler.dumps(source)
    assert len(pickled) < source.reader.images.nbytes
    copy = ForkingPickler.loads(pickled)
    for index in range(len(source)):
        np.testing.assert_array_equal(copy.read(index), source.read(index))


def test_unreadable_file_is_found_before_it_is_cached(folder):
    (folder / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"1 of \d+ images cannot be read"):
        make(folder, "disk")
    data = make(folder, "ram", on_error="skip")
    names = [name for split in ("train", "val") for name in data.sources[split].names]
    assert "cat/0.png" not in names
