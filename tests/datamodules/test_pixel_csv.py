import gzip
import lzma

import numpy as np
import pytest

from datamodules import PixelCSVDataModule, SplitSettings
from datamodules.sources import cache, pixels

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 3, 3, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "cache")
    monkeypatch.setattr(pixels, "FOLDER", tmp_path / "cache")


def text_of(image):
    return " ".join(map(str, image.ravel()))


@pytest.fixture
def write_csv(tmp_path):
    def write(header, rows, name="faces.csv"):
        file = tmp_path / name
        file.write_text("\n".join([header, *rows]) + "\n")
        return file

    return write


ROWS = [f"{index % 2},{text_of(image)}" for index, image in enumerate(PICTURES)]


def test_pixels_become_images(write_csv):
    data = PixelCSVDataModule(write_csv("label,feature", ROWS), image_size=3)
    for source in data.sources.values():
        for index, name in enumerate(source.names):
            row = int(name.removeprefix("faces.csv:")) - 2
            np.testing.assert_array_equal(source.read(index), PICTURES[row])
            assert source.labels[index] == row % 2


def test_second_start_reads_the_mapped_file(write_csv, monkeypatch):
    file = write_csv("label,feature", ROWS)
    first = PixelCSVDataModule(file, image_size=3).sources["train"]
    monkeypatch.delattr(pixels, "parse_pixels")
    second = PixelCSVDataModule(file, image_size=3).sources["train"]
    assert isinstance(second.reader.images, np.memmap)
    assert second.fingerprint() == first.fingerprint()


def test_changed_file_is_parsed_again(write_csv):
    before = PixelCSVDataModule(write_csv("label,feature", ROWS), image_size=3)
    assert before.sources["train"].names
    after = PixelCSVDataModule(write_csv("label,feature", ROWS[:10]), image_size=3)
    assert sum(len(source) for source in after.sources.values()) == 10


def test_kaggles_usage_names_the_splits(write_csv):
    usages = ["Training"] * 12 + ["PublicTest"] * 4 + ["PrivateTest"] * 4
    rows = [f"{row},{usage}" for row, usage in zip(ROWS, usages, strict=True)]
    file = write_csv("emotion,pixels,Usage", rows)
    split = SplitSettings(val_last_n=4)
    data = PixelCSVDataModule(file, image_size=3, split=split)
    assert {name: len(source) for name, source in data.sources.items()} == {
        "train": 8,
        "test": 8,
        "val": 4,
    }
    assert data.sources["val"].names == [f"faces.csv:{line}" for line in (10, 11, 12, 13)]
    usage = {"PublicTest": "val"}
    assert len(PixelCSVDataModule(file, image_size=3, usage=usage).sources["val"]) == 4


def test_images_to_predict_need_no_label(write_csv):
    train = write_csv("label,feature", ROWS)
    new = write_csv("pixels", [text_of(image) for image in PICTURES[:3]], "new.csv")
    data = PixelCSVDataModule(train, predict=new, image_size=3)
    assert data.sources["predict"].labels.tolist() == [-1] * 3
    assert data.sources["predict"].names == ["new.csv:2", "new.csv:3", "new.csv:4"]


def test_compressed_file_is_read(tmp_path):
    file = tmp_path / "faces.csv.gz"
    file.write_bytes(gzip.compress("\n".join(["label,feature", *ROWS]).encode()))
    assert sum(map(len, PixelCSVDataModule(file, image_size=3).sources.values())) == 20


def test_colours_and_sizes_are_converted(write_csv):
    image = np.zeros((2, 2, 3), np.uint8)
    image[..., 0] = 255  # red
    file = write_csv("label,feature", [f"{index % 2},{text_of(image)}" for index in range(20)])
    colour = PixelCSVDataModule(file, image_size=2, num_channels=3).sources["train"].read(0)
    np.testing.assert_array_equal(colour, image)
    grey = PixelCSVDataModule(file, image_size=4).sources["train"].read(0)
    assert grey.shape == (4, 4, 1)
    assert set(grey.ravel()) == {76}  # .299 * 255


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1,1 2 3 4", "0,1 2 3"], r"line 3: '1 2 3…' is not an image of 2 x 2 pixels"),
        (["1,1 2 3 4", "0,7"], "line 3: '7…' is not an image"),
        (["1,1 2 3 4", "0,1 2 x 4"], "line 3: '1 2 x 4…' holds something else than whole numbers"),
        (["1,1 2 3 4", "0,1 2 3 256"], "line 3: .* has a pixel that is not in 0 to 255"),
        (["1,1 2 3 4294967297"], "line 2: .* has a pixel that is not in 0 to 255"),
        (["1,1 2 3 -4"], "line 2: .* has a pixel that is not in 0 to 255"),
        (["1,1 2"], "line 2 has 2 pixels, which do not make a square image"),
        ([",1 2 3 4"], "line 2: 'faces.csv:2' has no label"),
        (["1,1 2 3 4", "nan,1 2 3 4"], "line 3: 'faces.csv:3' has no label"),
    ],
)
def test_wrong_row_is_named_with_its_line(write_csv, rows, message):
    data = PixelCSVDataModule(write_csv("label,feature", rows), class_names=["a", "b"])
    with pytest.raises(ValueError, match=message):
        _ = data.sources


def test_other_columns_and_usages_are_named(write_csv):
    file = write_csv("label,picture", ["1,1 2 3 4"])
    with pytest.raises(ValueError, match="no column feature or pixels; it has label, picture"):
        _ = PixelCSVDataModule(file).class_names
    file = write_csv("emotion,pixels,Usage", ["1,1 2 3 4,Exam"])
    with pytest.raises(ValueError, match="line 2: 'Exam' is not a split: expected one of train"):
        _ = PixelCSVDataModule(file).sources


def test_splits_have_the_counts_of_fer2013_with_the_last_rows_to_validate_on(write_csv):
    """Labels with the counts of FER2013, a hundredth of each; every image is one grey pixel."""
    train, val, test = [37, 4, 38, 67, 45, 29, 46], [3, 0, 3, 5, 3, 2, 4], [9, 1, 10, 17, 12, 8, 12]
    labels = np.concatenate([np.repeat(np.arange(7), part) for part in (train, val, test)])
    usages = ["Training"] * sum(train + val) + ["PublicTest"] * 35 + ["PrivateTest"] * 34
    rows = [f"{label},7,{usage}" for label, usage in zip(labels, usages, strict=True)]
    file = write_csv("emotion,pixels,Usage", rows)
    data = PixelCSVDataModule(file, image_size=1, split=SplitSettings(val_last_n=20))
    counts = {k: np.bincount(s.labels, minlength=7).tolist() for k, s in data.sources.items()}
    assert counts == {"train": train, "val": val, "test": test}


def test_compressed_faces_of_48_pixels_are_read(tmp_path):
    faces = np.random.default_rng(1).integers(0, 256, (30, 48, 48, 1), dtype=np.uint8)
    lines = [f"{index % 3},{text_of(face)}" for index, face in enumerate(faces)]
    file = tmp_path / "train.csv.xz"
    file.write_bytes(lzma.compress("\n".join(["label,feature", *lines]).encode()))
    data = PixelCSVDataModule(file, split=SplitSettings(test=0, val_last_n=6))
    np.testing.assert_array_equal(data.sources["train"].take(range(24)), faces[:24])
    np.testing.assert_array_equal(data.sources["val"].take(range(6)), faces[24:])
    assert data.class_counts == [8, 8, 8]


def test_files_may_be_named_by_strings(write_csv):
    train = write_csv("label,feature", ROWS)
    test = write_csv("label,feature", ROWS[:4], "test.csv")
    new = write_csv("feature", [text_of(PICTURES[0])], "new.csv")
    data = PixelCSVDataModule(str(train), str(test), str(new), image_size=3)
    assert {split: len(source) for split, source in data.sources.items()} == {
        "train": 16,
        "val": 4,
        "test": 4,
        "predict": 1,
    }


def test_size_is_that_of_most_rows(write_csv):
    data = PixelCSVDataModule(write_csv("label,feature", ["0,7", *ROWS]), image_size=3)
    with pytest.raises(ValueError, match=r"line 2: '7…' is not an image of 3 x 3 pixels"):
        _ = data.sources


def test_truncated_file_is_named(tmp_path):
    whole = gzip.compress("\n".join(["label,feature", *ROWS]).encode())
    (tmp_path / "faces.csv.gz").write_bytes(whole[:-40])
    with pytest.raises(ValueError, match=r"faces.csv.gz is damaged or cut off"):
        _ = PixelCSVDataModule(tmp_path / "faces.csv.gz").class_names


def test_incomplete_cache_is_rebuilt(write_csv, tmp_path):
    file = write_csv("label,feature", ROWS)
    assert PixelCSVDataModule(file, image_size=3).class_names == ("0", "1")
    for rows in (tmp_path / "cache").glob("*.csv"):
        rows.unlink()
    assert PixelCSVDataModule(file, image_size=3).class_names == ("0", "1")


def test_two_files_with_the_same_split_are_refused(write_csv):
    rows = [f"{row},{'Training' if index < 15 else 'PublicTest'}" for index, row in enumerate(ROWS)]
    file = write_csv("emotion,pixels,Usage", rows)
    test = write_csv("label,feature", ROWS[:4], "test.csv")
    with pytest.raises(ValueError, match=r"test.csv has test images, and so has another file"):
        _ = PixelCSVDataModule(file, test=test, image_size=3).sources
