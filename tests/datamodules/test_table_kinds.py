"""Tables as people have them: file kinds, spellings of paths, and forms of labels."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule, ManifestDataModule
from datamodules.tables.columns import Columns
from datamodules.tables.label_values import alike

NAMES = [f"{'cat' if number % 2 else 'dog'}_{number:02d}.png" for number in range(24)]
LABELS = [name[:3] for name in NAMES]
TABLE = pd.DataFrame({"image": NAMES, "label": LABELS})


@pytest.fixture(autouse=True)
def images(tmp_path, monkeypatch):
    """Images of 8 x 8 pixels in the folder `images`, each with a grey of its own."""
    monkeypatch.chdir(tmp_path)
    Path("images").mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(np.full((8, 8, 3), 10 * number, np.uint8)).save(Path("images") / name)


def rows(file, root="images", **settings):
    """Label of each image of a table by its grey, and the names of the classes."""
    data = ManifestDataModule(
        Path(file), root and Path(root), image_size=8, num_workers=0, **settings
    )
    found = {}
    for source in data.sources.values():
        for index, label in enumerate(source.labels):
            found[int(source.read(index)[0, 0, 0])] = data.class_names[label]
    return found, data.class_names


EXPECTED = {10 * number: label for number, label in enumerate(LABELS)}
PATHS = {
    "ids without an ending": lambda name: name.removesuffix(".png"),
    "a drive of Windows": lambda name: f"C:\\Users\\x\\images\\{name}",
    "a folder that is the root": lambda name: f"images/{name}",
    "other capitals": str.upper,
}


@pytest.mark.parametrize("spelling", PATHS)
def test_paths_are_found_however_they_are_written(spelling):
    TABLE.assign(image=[PATHS[spelling](name) for name in NAMES]).to_csv("a.csv", index=False)
    assert rows("a.csv")[0] == EXPECTED


def test_a_backslash_separates_folders_and_the_exact_name_wins():
    names = [f"images\\{name}" for name in NAMES]
    Image.fromarray(np.full((8, 8, 3), 250, np.uint8)).save(names[0])  # a file of that very name
    TABLE.assign(image=names).to_csv("a.csv", index=False)
    greys = {250 if grey == 0 else grey: label for grey, label in EXPECTED.items()}
    assert rows("a.csv", root=None)[0] == greys


def write_parquet_with_images(file):
    packed = [{"bytes": Path("images", name).read_bytes(), "path": name} for name in NAMES]
    pd.DataFrame({"image": packed, "label": LABELS}).to_parquet(file)


KINDS = {
    "a.csv": lambda file: TABLE.to_csv(file, index=False, sep=";", encoding="utf-16"),
    "a.tsv": lambda file: TABLE.to_csv(file, index=False, sep="\t"),
    "a.csv.gz": lambda file: TABLE.to_csv(file, index=False),
    "a.parquet": TABLE.to_parquet,
    "b.parquet": write_parquet_with_images,
    "a.jsonl": lambda file: TABLE.to_json(file, orient="records", lines=True),
    "a.json": lambda file: TABLE.to_json(file, orient="records"),
    "a.jsonl.gz": lambda file: TABLE.to_json(file, orient="records", lines=True),
    "columns.json": TABLE.to_json,
    "index.json": lambda file: TABLE.to_json(file, orient="index"),
    "table.json": lambda file: TABLE.to_json(file, orient="table"),
    "names.json": lambda file: TABLE.set_index("image").to_json(file, orient="index"),
}


@pytest.mark.parametrize("file", KINDS)
def test_every_kind_of_table_gives_the_same_images_and_labels(file):
    KINDS[file](file)
    assert rows(file) == (EXPECTED, ("cat", "dog"))


def test_a_spreadsheet_is_named_with_what_to_do():
    Path("a.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"a.xlsx is a spreadsheet; .* save it as CSV"):
        rows("a.xlsx")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<!DOCTYPE html><html>", "is not a CSV file: it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(30), "it is a zip archive or an office document"),
        (b"PAR1" + bytes(30), r"it is a Parquet or Arrow file; let its name end in \.parquet"),
        (b"x,y\nimage.png,cat\n", "has no column 'image'; it has x, y.*--data.header false"),
        (b"image label\na.png cat\n", "has no column 'image'.*--data.delimiter ' '"),
        (b"image,cat,dog\na,1,0\nb,0,0\nc,0,1\n", r"1 of 3 rows have no 1.*label '\[cat, dog\]'"),
        (
            b"image\ncat_1.png\ncat_2.png\ndog_3.png\ndog_4.png\n",
            r"would give cat \(2\), dog \(2\)",
        ),
        (b"image,label\ndata:image/png;base64;AAAA,cat\n", "is no path, but base64 text or pixels"),
    ],
)
def test_what_is_no_table_of_images_says_what_it_is(content, text):
    Path("a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=text):
        rows("a.csv")


def test_numbers_without_their_zeros_are_found():
    for number, name in enumerate(NAMES):
        Path("images", name).rename(Path("images", f"{number:05d}.png"))
    TABLE.assign(image=range(24)).to_csv("a.csv", index=False)
    assert rows("a.csv")[0] == EXPECTED
    Path("images", "7.png").write_bytes(Path("images", "00000.png").read_bytes())
    assert rows("a.csv")[0].keys() == EXPECTED.keys() - {70}  # the exact name wins


SPLIT_COLUMNS = {
    "is_valid": ["True" if number > 17 else "False" for number in range(24)],
    "is_val": [int(number > 17) for number in range(24)],
    "dataset": ["dev" if number > 17 else "train" for number in range(24)],
    "Usage": ["validation" if number > 17 else "Training" for number in range(24)],
}


@pytest.mark.parametrize("column", SPLIT_COLUMNS)
def test_columns_that_name_splits_in_other_words_are_followed(column):
    TABLE.assign(**{column: SPLIT_COLUMNS[column]}).to_csv("a.csv", index=False)
    data = ManifestDataModule("a.csv", Path("images"), image_size=8, num_workers=0)
    assert sorted(data.sources["val"].names) == sorted(NAMES[18:])


def test_labels_that_may_stand_for_none_or_look_alike_are_said():
    labels = ["None", "\u200bcat", "cat/dog", *LABELS[3:]]
    TABLE.assign(label=labels).to_csv("a.csv", index=False)
    with pytest.warns(UserWarning, match="labels that") as warnings:
        rows("a.csv")
    said = " ".join(str(warning.message) for warning in warnings)
    assert "labels that may stand for none are classes as the others: None (1)" in said
    assert "cat (11) and '\\u200bcat' (1)" in said
    assert "several labels in one field, such as 'cat/dog'" in said


def test_numbers_that_differ_in_their_sign_are_not_alike():
    assert alike(["-1", "1", "1.5", "-1.5"]) == []


def test_float_labels_are_whole_numbers_in_numeric_order():
    TABLE.assign(label=[float(n % 12) for n in range(24)]).to_csv("a.csv", index=False)
    found, names = rows("a.csv")
    assert names == tuple(map(str, range(12)))
    assert found == {10 * number: str(number % 12) for number in range(24)}


def test_a_missing_label_is_no_class():
    TABLE.assign(label=[*LABELS[:-1], "nan"]).to_csv("a.csv", index=False)
    with pytest.raises(ValueError, match=r"a.csv, line 25: 'cat_23.png' has no label, but 'nan'"):
        rows("a.csv")


def test_labels_that_differ_in_capitals_are_said():
    TABLE.assign(label=[*LABELS[:-1], "CAT"]).to_csv("a.csv", index=False)
    with pytest.warns(UserWarning, match=r"differ only in capitals.*: CAT \(1\) and cat \(11\)"):
        rows("a.csv")


@pytest.mark.parametrize("several", ["cat;dog", "cat|dog", "['cat', 'dog']"])
def test_several_labels_in_one_field_are_named_as_what_they_are(several):
    TABLE.assign(label=[*LABELS[:-1], several]).to_csv("a.csv", index=False)
    with pytest.raises(ValueError, match=r"1 of 24 rows seem.* several labels per image are not"):
        rows("a.csv")


def one_hot(**more):
    columns = {name: [int(label == name) for label in LABELS] for name in ("cat", "dog")}
    return pd.DataFrame({"id": NAMES, **columns, **more})


def test_columns_of_0_and_1_are_labels():
    one_hot().to_csv("a.csv", index=False)
    assert rows("a.csv") == (EXPECTED, ("cat", "dog"))


def test_several_1_in_a_row_are_counted():
    one_hot(cat=[1] * 24).to_csv("a.csv", index=False)
    with pytest.raises(ValueError, match=r"12 of 24 rows have a 1 in several of the columns"):
        rows("a.csv")


def test_labels_are_taken_from_file_names_by_a_pattern():
    TABLE[["image"]].to_csv("a.csv", index=False)
    assert rows("a.csv", columns=Columns(label=r"name:^([a-z]+)_"))[0] == EXPECTED


def test_a_folder_without_class_folders_takes_labels_from_its_file_names():
    data = ImageFolderDataModule(Path("images"), pattern=r"^([a-z]+)_", image_size=8)
    labels = {
        name: data.class_names[label]
        for source in data.sources.values()
        for name, label in zip(source.names, source.labels, strict=True)
    }
    assert labels == dict(zip(NAMES, LABELS, strict=True))
    with pytest.raises(ValueError, match=r"data\.pattern"):
        _ = ImageFolderDataModule(Path("images"), image_size=8).sources


def test_a_bomb_among_packed_images_is_refused(monkeypatch):
    monkeypatch.setenv("LIGHTNING_CLI_MAX_PIXELS", "60")
    write_parquet_with_images("b.parquet")
    with pytest.raises(ValueError, match=r"row 1: dog_00.png has 8 x 8 pixels, more than 60"):
        rows("b.parquet")


def test_a_damaged_image_in_a_table_is_named_with_its_row():
    packed = [{"bytes": Path("images", name).read_bytes(), "path": name} for name in NAMES]
    packed[3]["bytes"] = packed[3]["bytes"][:40]
    buffer = io.BytesIO()
    pd.DataFrame({"image": packed, "label": LABELS}).to_parquet(buffer)
    Path("b.parquet").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match=r"b.parquet, row 4: cat_03.png is truncated"):
        rows("b.parquet")
