"""What people's folders hold besides images: it is left out, refused or named, never silent."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule, Options
from datamodules.sources import checked_files


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))


@pytest.fixture
def make_folder(tmp_path, write_image):
    def make(*folders, images=10):
        for folder in folders:
            for index in range(images):
                write_image(tmp_path / folder / f"{index}.png", color=(99 + index, 0, 0))
        return ImageFolderDataModule(tmp_path, image_size=8, num_workers=0)

    return make


def sizes(data):
    return {split: len(source.labels) for split, source in data.sources.items()}


@pytest.mark.parametrize(
    "name",
    [
        "@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/._0.png",
        "._0.png",
        ".ipynb_checkpoints/0-checkpoint.png",
        "#recycle/0.png",
        "$RECYCLE.BIN/0.png",
        "lost+found/0.png",
    ],
)
def test_what_systems_leave_behind_is_not_trained_on(make_folder, tmp_path, write_image, name):
    make_folder("cat", "dog")
    for folder in (tmp_path, tmp_path / "cat"):
        write_image(folder / name)
    data = ImageFolderDataModule(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert sum(sizes(data).values()) == 20


def test_class_all_of_whose_images_are_left_out_stops(make_folder, tmp_path):
    data = make_folder("cat", "dog")
    (tmp_path / "dog" / "x.psd").write_bytes(b"8BPS")
    with pytest.warns(
        UserWarning, match=r"1 images that are left out: 1 x a Photoshop doc.*in dog"
    ):
        assert data.class_names == ("cat", "dog")
    (tmp_path / "scan").mkdir()
    for number in range(3):
        (tmp_path / "scan" / f"{number}.dcm").write_bytes(b"")
    with pytest.raises(ValueError, match=r"3 x a DICOM image.*No image is left of scan"):
        _ = ImageFolderDataModule(tmp_path).class_names


def test_images_without_an_ending_are_counted(make_folder, tmp_path):
    data = make_folder("cat", "dog")
    (tmp_path / "dog" / "photo").write_bytes((tmp_path / "dog" / "0.png").read_bytes())
    (tmp_path / "dog" / "notes").write_text("none")
    with pytest.warns(UserWarning, match=r"1 images that are left out: 1 x a PNG image without"):
        assert data.class_names == ("cat", "dog")


def test_links_are_followed_where_that_is_allowed(make_folder, tmp_path):
    make_folder("real/cat", "real/dog")
    root = tmp_path / "links"
    (root / "dog").mkdir(parents=True)
    (root / "cat").symlink_to(tmp_path / "real" / "cat")
    for number in range(10):
        (root / "dog" / f"{number}.png").symlink_to(tmp_path / "real" / "dog" / f"{number}.png")
    (root / "dog" / "loop").symlink_to(root)
    with pytest.raises(ValueError, match=r"links that are not followed: cat, .*allow_outside true"):
        _ = ImageFolderDataModule(root).class_names
    data = ImageFolderDataModule(root, allow_outside=True, image_size=8)
    assert data.class_names == ("cat", "dog")
    assert len(data.load()["train"]) == 20


def test_class_without_a_readable_image_stops_even_if_others_are_skipped(make_folder, tmp_path):
    make_folder("cat", "dog")
    skip = Options(on_error="skip")
    (tmp_path / "dog" / "0.png").write_bytes(b"%PDF")
    data = ImageFolderDataModule(tmp_path, image_size=8, options=skip)
    with pytest.warns(UserWarning, match=r"By class: 1 of 10 of dog\.\nThey are left out"):
        data.setup("fit")
    for number in range(10):
        (tmp_path / "dog" / f"{number}.png").write_bytes(b"%PDF")
    data = ImageFolderDataModule(tmp_path, image_size=8, options=skip)
    with pytest.raises(ValueError, match=r"10 of 10 of dog\.\nNo training image is left of dog"):
        data.setup("fit")


def test_name_that_is_not_utf_8_is_refused_or_left_out(make_folder, tmp_path, write_image):
    make_folder("cat", "dog")
    odd = os.fsencode(tmp_path / "cat") + b"/caf\xe9.png"
    with open(odd, "wb") as file:  # noqa: PTH123
        file.write((tmp_path / "cat" / "0.png").read_bytes())
    with pytest.raises(ValueError, match=r"caf\\xe9\.png: its name is not UTF-8"):
        ImageFolderDataModule(tmp_path, image_size=8).setup("fit")
    data = ImageFolderDataModule(tmp_path, image_size=8, options=Options(on_error="skip"))
    with pytest.warns(UserWarning, match="They are left out"):
        data.setup("fit")
    assert sum(sizes(data).values()) == 20
    os.rename(os.fsencode(tmp_path / "cat"), os.fsencode(tmp_path) + b"/\xe9t\xe9")  # noqa: PTH104
    with pytest.raises(ValueError, match=r"class folders whose names are not UTF-8.*\\xe9t\\xe9"):
        _ = ImageFolderDataModule(tmp_path).class_names


def test_nearly_black_classes_are_warned_of(make_folder, tmp_path):
    make_folder("cat")
    (tmp_path / "scan").mkdir()
    for number in range(4):
        deep = np.full((8, 8), 4000 + number, np.uint16)  # 12 bits in a file of 16
        Image.fromarray(deep).save(tmp_path / "scan" / f"{number}.png")
    data = ImageFolderDataModule(tmp_path, image_size=8)
    with pytest.warns(UserWarning, match=r"nearly black, .* 4 of 4 of scan"):
        data.setup("fit")


def test_checked_files_are_remembered_until_they_change(make_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_folder("data/cat", "data/dog")
    looked = []
    look = checked_files.check_file

    def looking(file):
        looked.append(Path(file).name)
        return look(file)

    monkeypatch.setattr(checked_files, "check_file", looking)
    for _ in range(2):
        ImageFolderDataModule(tmp_path / "data", image_size=8).setup("fit")
    assert len(looked) == 20
    (tmp_path / "data" / "cat" / "0.png").write_bytes(b"%PDF")
    with pytest.raises(ValueError, match="it is a PDF document"):
        ImageFolderDataModule(tmp_path / "data", image_size=8).setup("fit")
    assert looked[20:] == ["0.png"]


def test_classes_that_look_alike_and_folders_that_are_not_used_are_named(make_folder, tmp_path):
    data = make_folder("train/Cat", "train/cat ", "train/dog", "dev/dog", "notes")
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match=r"differ only|not used") as warnings:
        assert data.class_names == ("Cat", "cat ", "dog")
    said = " ".join(str(warning.message) for warning in warnings)
    assert "classes of their own: 'Cat' and 'cat '. If they mean the same" in said
    assert "has folders with images that are not used: dev, notes. Those of the splits" in said


def test_an_image_with_another_ending_is_named_and_not_lost_silently(make_folder, tmp_path):
    data = make_folder("a", "b", "c")
    for file in (tmp_path / "c").iterdir():
        file.rename(file.with_suffix(".png_large"))
    text = r"10 x a PNG image with the ending \.png_large; 10 in c\. No image is left of c"
    with pytest.raises(ValueError, match=text):
        _ = data.sources


def test_classes_are_in_the_order_that_is_given(make_folder, tmp_path):
    make_folder("1", "2", "10")
    data = ImageFolderDataModule(tmp_path, class_names=["1", "10", "2"], image_size=8)
    source = data.sources["train"]
    numbers = {name.split("/")[0]: source.labels[row] for row, name in enumerate(source.names)}
    assert numbers == {"1": 0, "10": 1, "2": 2}
    with pytest.raises(ValueError, match=r"class_names names 1, 2; the classes are 1, 2, 10"):
        _ = ImageFolderDataModule(tmp_path, class_names=["1", "2"], image_size=8).class_names
