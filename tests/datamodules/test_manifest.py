import numpy as np
import pytest
from lightning.pytorch.cli import LightningArgumentParser

from datamodules import ManifestDataModule, Options, SplitSettings
from datamodules.tables.columns import Columns


@pytest.fixture
def make_manifest(tmp_path, write_image):
    """A manifest of the given lines, with twenty images beside it."""

    def make(*lines):
        for index in range(20):
            write_image(tmp_path / "images" / f"{index}.png")
        file = tmp_path / "labels.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ManifestDataModule(file, image_size=8, num_workers=0)

    return make


ROWS = [f"images/{index}.png,{'NA' if index % 2 else 'sea'}" for index in range(20)]


def test_labels_are_text_in_alphabetical_order(make_manifest):
    data = make_manifest("image,label", *ROWS)
    assert data.class_names == ("NA", "sea")  # pandas would read NA as missing
    assert sum(len(source.labels) for source in data.sources.values()) == 20


def test_split_column_is_used_and_missing_splits_are_split_off(make_manifest):
    rows = [f"{row},{'test' if index < 6 else 'train'}" for index, row in enumerate(ROWS)]
    data = make_manifest("image,label,split", *rows)
    assert data.sources["test"].names == [f"images/{index}.png" for index in range(6)]
    assert {split: len(s.labels) for split, s in data.sources.items()} == {
        "test": 6,
        "train": 12,
        "val": 2,
    }


def test_root_can_be_another_folder(make_manifest, tmp_path):
    make_manifest("image,label", "3.png,sea", "4.png,sky")
    data = ManifestDataModule(tmp_path / "labels.csv", root=tmp_path / "images", image_size=8)
    assert data.sources["train"].read(0).shape == (8, 8, 3)


def test_images_to_predict_are_those_of_a_folder_or_of_a_table(
    make_manifest, tmp_path, write_image
):
    make_manifest("image,label", *ROWS[:18])
    write_image(tmp_path / "new" / "deep" / "b.png")
    write_image(tmp_path / "new" / "a.png")
    (tmp_path / "sample.csv").write_text("image\nimages/19.png\nimages/18.png\n")
    for predict, names in (
        (tmp_path / "new", ["a.png", "deep/b.png"]),
        (tmp_path / "sample.csv", ["images/19.png", "images/18.png"]),
    ):
        data = ManifestDataModule(tmp_path / "labels.csv", predict=predict, image_size=8)
        assert list(data.sources["predict"].names) == names
        assert data.sources["predict"].labels.tolist() == [-1, -1]
        assert data.sources["predict"].read(0).shape == (8, 8, 3)


def test_a_blank_after_a_comma_is_no_part_of_a_value(make_manifest):
    rows = [[f'"{value}"' for value in row.split(",")] for row in ("image,label", *ROWS)]
    assert make_manifest(*map(", ".join, rows)).class_names == ("NA", "sea")


def test_files_of_the_splits_in_a_folder_are_one_dataset(make_manifest, tmp_path):
    make_manifest("image,label", *ROWS)
    for split, rows in (("train", ROWS[:12]), ("val", ROWS[12:16]), ("test", ROWS[16:])):
        (tmp_path / f"{split}.csv").write_text("\n".join(["image,label", *rows]))
    data = ManifestDataModule(tmp_path, image_size=8)
    assert {split: len(s) for split, s in data.sources.items()} == {
        "train": 12,
        "val": 4,
        "test": 4,
    }


def test_names_and_labels_may_be_in_separate_files_without_header(tmp_path, write_image):
    """The layout of one Simpsons dataset: `train_img.csv`, `train_label.csv`, unlabelled tests."""
    names = [f"{index} é.jpg" for index in range(24)]  # a blank and an accent
    for name in names:
        write_image(tmp_path / "img" / name)
    labels = ["lisa_simpson" if index % 3 else "bart_simpson" for index in range(20)]
    for name, lines in {
        "train_img": names[:12],
        "train_label": labels[:12],
        "valid_img": names[12:20],
        "valid_label": labels[12:],
        "test_img": names[20:],
    }.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = ManifestDataModule(
        {
            "train": tmp_path / "train_img.csv",
            "val": tmp_path / "valid_img.csv",
            "test": tmp_path / "test_img.csv",
        },
        labels={"train": tmp_path / "train_label.csv", "val": tmp_path / "valid_label.csv"},
        root=tmp_path / "img",
        header=False,
        split=SplitSettings(test=0),
        image_size=8,
    )
    assert data.class_names == ("bart_simpson", "lisa_simpson")
    assert data.sources["train"].labels.tolist() == [0, 1, 1] * 4
    assert list(data.sources["predict"].names) == names[20:]
    assert data.sources["predict"].labels.tolist() == [-1] * 4


def test_integer_labels_are_indices_of_the_given_names(tmp_path, write_image):
    """The layout of natural scenes: one folder of images, three files with class indices."""
    names = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
    for split in ("train", "val", "test"):
        for label in range(6):
            write_image(tmp_path / "images" / f"{split}{label}.jpg")
        rows = [f"{split}{label}.jpg,{label}" for label in (5, 0, 3, 1, 2, 4)]
        (tmp_path / f"{split}_data.csv").write_text("\r\n".join(["image_name,label", *rows]))
    data = ManifestDataModule(
        {split: tmp_path / f"{split}_data.csv" for split in ("train", "val", "test")},
        root=tmp_path / "images",
        columns=Columns(image="image_name"),
        class_names=names,
        image_size=8,
    )
    assert data.class_names == tuple(names)
    assert data.sources["train"].labels.tolist() == [5, 0, 3, 1, 2, 4]
    assert data.class_counts == [1] * 6


def test_integer_labels_without_names_are_ordered_as_numbers(make_manifest):
    rows = [f"images/{index}.png,{index % 11}" for index in range(20)]
    data = make_manifest("image,label", *rows)
    assert data.class_names == tuple(str(number) for number in range(11))


def test_columns_may_be_numbers(make_manifest, tmp_path):
    make_manifest(*(f"{index},{'ab'[index % 2]},images/{index}.png" for index in range(20)))
    columns = Columns(image=2, label=1)
    data = ManifestDataModule(tmp_path / "labels.csv", header=False, columns=columns)
    assert data.class_names == ("a", "b")
    assert "images/3.png" in {name for source in data.sources.values() for name in source.names}


def test_byte_order_mark_line_ends_and_blanks_of_a_spreadsheet_are_ignored(make_manifest, tmp_path):
    make_manifest()
    text = "\r\n".join(["image, label", *(row.replace(",", ", ") for row in ROWS), "", ""])
    (tmp_path / "labels.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    data = ManifestDataModule(tmp_path / "labels.csv", image_size=8)
    assert data.class_names == ("NA", "sea")
    assert sum(len(source) for source in data.sources.values()) == 20


def test_copies_of_one_original_stay_in_one_split(make_manifest):
    rows = [f"images/{index}.png,{'ab'[index // 10]},{index // 2}" for index in range(20)]
    data = make_manifest("image,label,group", *rows)
    groups = [set(source.groups) for source in data.sources.values()]
    assert sum(len(part) for part in groups) == len(set.union(*groups)) == 10


def test_paths_out_of_the_root_can_be_allowed(make_manifest, tmp_path, write_image):
    outside = write_image(tmp_path / "elsewhere" / "x.png")
    make_manifest("image,label", *ROWS)
    rows = [str(outside), "../elsewhere/y.png"]
    write_image(tmp_path / "elsewhere" / "y.png")
    file = tmp_path / "labels.csv"
    file.write_text("image,label\n" + "\n".join(f"{row},{c}" for row in rows for c in "a") + "\n")
    data = ManifestDataModule(file, root=tmp_path / "images", allow_outside=True)
    assert set(data._rows["image"]) == set(rows)


def test_splits_of_a_run_can_be_read_as_a_manifest(make_manifest, tmp_path):
    """A run stores its splits as a manifest, data/splits.csv."""
    data = make_manifest("image,label", *ROWS)
    lines = [
        f"{name},{data.class_names[label]},{split}"
        for split, source in data.sources.items()
        for name, label in zip(source.names, source.labels, strict=True)
    ]
    again = make_manifest("image,label,split", *lines)
    for split, source in data.sources.items():
        assert set(again.sources[split].names) == set(source.names)


def test_class_without_training_images_is_named(make_manifest):
    rows = [f"{row},train" for row in ROWS[:10]] + [f"{ROWS[10].split(',')[0]},sky,test"]
    with pytest.raises(ValueError, match=r"no training image of sky.*exclude_classes"):
        _ = make_manifest("image,label,split", *rows).sources
    data = make_manifest("image,label,split", *rows)
    data.options = Options(exclude_classes=["sky"])
    assert np.bincount(data.sources["test"].labels).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["picture,label", "images/0.png,sea"],
            "no column 'image'; it has picture, label. Name it",
        ),
        (["images/0.png,sea", ROWS[1]], "first line of .* names an image.*--data.header false"),
        (["image,label", "images/0.png,sea,3"], "line 2 has more values than the header"),
        (
            ["image,label", ROWS[0], f"{ROWS[1]},3"],
            "is not a table: Expected 2 fields in line 3, saw 3",
        ),
        (["image,label"], "labels.csv has no rows"),
        (["image,label", "images/0.png,"], r"line 2: 'images/0.png' has no label\."),
        (["image,label", ROWS[0], "gone.png,sea"], "line 3: 'gone.png' is not in"),
        (
            ["image,label", "../x.png,sea", "/etc/passwd,sea"],
            r"line 2.*lies outside .*--data.allow_outside true \(and 1",
        ),
        (["image,label", ROWS[0], ROWS[1], ROWS[0]], r"line 4: 'images/0.png' is listed a second"),
        (["image,label,split", f"{ROWS[0]},holdout"], r"line 2: 'holdout' is not a split"),
        (["image,label,split", f"{ROWS[0]},test"], "no row of the split 'train'"),
    ],
)
def test_wrong_row_is_named_with_its_line(make_manifest, lines, message):
    with pytest.raises(ValueError, match=message):
        _ = make_manifest(*lines).sources


def test_missing_manifest_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no file .*gone\.csv"):
        _ = ManifestDataModule(tmp_path / "gone.csv").class_names


@pytest.mark.parametrize("label", ["7", "-1", "3.5", "glacier"])
def test_unknown_label_is_named(make_manifest, tmp_path, label):
    make_manifest("image,label", "images/0.png,0", f"images/1.png,{label}")
    data = ManifestDataModule(tmp_path / "labels.csv", class_names=["sea", "street"])
    with pytest.raises(
        ValueError, match=rf"line 3: '{label}' is not a class: .*sea, street, or 0 to 1"
    ):
        _ = data.sources


def test_files_of_unequal_length_are_refused(make_manifest, tmp_path):
    make_manifest("images/0.png", "images/1.png")
    (tmp_path / "classes.csv").write_text("sea\n")
    data = ManifestDataModule(
        {"train": tmp_path / "labels.csv"}, labels={"train": tmp_path / "classes.csv"}, header=False
    )
    with pytest.raises(ValueError, match=r"classes.csv has 1 rows, but .*labels.csv has 2"):
        _ = data.sources


def test_image_in_two_splits_is_refused(make_manifest, tmp_path):
    make_manifest("image,label", *ROWS)
    (tmp_path / "train.csv").write_text("\n".join(["image,label", *ROWS]))
    (tmp_path / "test.csv").write_text("\n".join(["image,label", ROWS[3]]))
    with pytest.raises(ValueError, match=r"test.csv, line 2: 'images/3.png' is listed a second"):
        _ = ManifestDataModule(tmp_path).sources


def test_file_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "labels.csv").write_bytes("image,label\né.png,a\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"labels\.csv is not UTF-8"):
        _ = ManifestDataModule(tmp_path / "labels.csv").class_names


def test_image_without_a_group_is_a_group_of_its_own(make_manifest):
    rows = [f"images/{i}.png,{'ab'[i % 2]},{'x' if i < 4 else ''}" for i in range(20)]
    data = make_manifest("image,label,group", *rows)
    assert {split: len(source) for split, source in data.sources.items()}["val"] > 0
    assert len({g for source in data.sources.values() for g in source.groups}) == 17


def test_copies_in_two_splits_are_warned_of(make_manifest):
    rows = [
        f"images/{i}.png,{'ab'[i % 2]},{'train' if i < 14 else 'val'},{i % 14}" for i in range(20)
    ]
    with pytest.warns(UserWarning, match="Copies of 4 originals are in both train and val"):
        _ = make_manifest("image,label,split,group", *rows).sources


def test_columns_may_be_called_file_and_line(make_manifest, tmp_path):
    make_manifest("file,line", *ROWS)
    columns = Columns(image="file", label="line")
    data = ManifestDataModule(tmp_path / "labels.csv", columns=columns, image_size=8)
    assert data.class_names == ("NA", "sea")


def test_one_image_with_two_paths_is_refused(make_manifest):
    with pytest.raises(ValueError, match=r"line 3: 'images/../images/0.png' is listed a second"):
        _ = make_manifest(
            "image,label", ROWS[0], ROWS[0].replace("images/", "images/../images/")
        ).sources


def test_files_may_be_named_by_strings(make_manifest, tmp_path):
    make_manifest("image,label", "3.png,sea", "4.png,sky")
    root = str(tmp_path / "images")
    for manifest in (str(tmp_path / "labels.csv"), {"train": str(tmp_path / "labels.csv")}):
        data = ManifestDataModule(manifest, root=root, image_size=8)
        assert data.load()["train"].names == ["3.png", "4.png"]


def test_stored_configuration_keeps_the_file_of_each_split():
    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_lightning_class_args(ManifestDataModule, "data")
    config = parser.parse_args(["--data.manifest", "{train: a.csv, val: b.csv}"])
    stored = parser.dump(parser.parse_string(parser.dump(config)))
    assert "  manifest:\n    train: a.csv\n    val: b.csv\n" in stored


def test_further_columns_follow_the_images_through_the_splits(make_manifest):
    rows = [f"{row},{'phone' if index % 3 else ''},{index}" for index, row in enumerate(ROWS)]
    data = make_manifest("image,label,camera,xmin", *rows)
    assert {name for source in data.sources.values() for name in source.columns} == {
        "camera",
        "xmin",
    }
    for source in data.sources.values():
        numbers = [int(name.split("/")[1].split(".")[0]) for name in source.names]
        assert source.columns["xmin"].tolist() == list(map(str, numbers))
        expected = ["phone" if number % 3 else "" for number in numbers]
        assert source.columns["camera"].tolist() == expected


def test_columns_of_boxes_are_the_subject_and_no_groups(make_manifest):
    rows = [f"{row},2,2,6,6,x" for row in ROWS]
    source = make_manifest("image,label,xmin,ymin,xmax,ymax,site", *rows).sources["train"]
    assert list(source.columns) == ["site"]
    assert source.subject(0).any()


def test_columns_of_labels_are_no_further_columns(make_manifest):
    rows = [f"{row.split(',')[0]},{index % 2},{1 - index % 2}" for index, row in enumerate(ROWS)]
    data = make_manifest("image,sea,sky", *rows)
    assert data.class_names == ("sea", "sky")
    assert data.sources["train"].columns == {}
