from dataclasses import replace

import numpy as np
import pytest

from datamodules import ImageFolderDataModule, ManifestDataModule, Options, SplitSettings
from datamodules.splits.assign_splits import arrange


@pytest.fixture
def folder(tmp_path, write_image):
    """Twenty cats and twenty dogs, and two images to predict."""
    for index in range(20):
        for name in ("cat", "dog"):
            write_image(tmp_path / "images" / name / f"{index}.png")
    for index in range(2):
        write_image(tmp_path / "images" / "predict" / f"{index}.png")
    return tmp_path / "images"


@pytest.fixture
def with_file(folder):
    """The dataset with a file of fixes that has the given lines."""

    def make(*lines, header="image,label,suggested", **options):
        file = folder.parent / "label_fixes.csv"
        file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        options = Options(label_fixes=file, **options)
        return ImageFolderDataModule(folder, image_size=8, num_workers=0, options=options)

    return make


def labels_of(data):
    return {
        name: data.class_names[label]
        for split, source in data.sources.items()
        if split != "predict"
        for name, label in zip(source.names, source.labels, strict=True)
    }


def test_labels_are_corrected_and_nothing_else_changes(folder, with_file):
    before = ImageFolderDataModule(folder, image_size=8, num_workers=0)
    after = with_file("cat/3.png,cat,dog", "dog/7.png,dog,cat")
    expected = labels_of(before) | {"cat/3.png": "dog", "dog/7.png": "cat"}
    assert labels_of(after) == expected
    for split, source in before.sources.items():  # no image moves to another split
        assert after.sources[split].names == source.names
    assert before.sources["train"].fingerprint() != after.sources["train"].fingerprint()


def test_image_without_a_suggestion_is_left_out(folder, with_file):
    before = ImageFolderDataModule(folder, image_size=8, num_workers=0)
    after = with_file("cat/3.png,cat,", "cat/4.png,cat")
    assert set(labels_of(before)) - set(labels_of(after)) == {"cat/3.png", "cat/4.png"}
    for split, source in before.sources.items():
        kept = [name for name in source.names if name not in ("cat/3.png", "cat/4.png")]
        assert after.sources[split].names == kept


def test_pixels_stay_with_their_names(with_file, folder, write_image):
    write_image(folder / "dog" / "9.png", color=(1, 2, 3))
    data = with_file("cat/3.png,cat,", "cat/1.png,cat,dog")
    [(source, index)] = [
        (source, source.names.index("dog/9.png"))
        for source in data.sources.values()
        if "dog/9.png" in source.names
    ]
    assert source.read(index)[0, 0].tolist() == [1, 2, 3]


def test_fixes_of_a_manifest_name_its_paths(folder, tmp_path):
    lines = [f"cat/{index}.png,{'tiger' if index % 2 else 'lion'}" for index in range(20)]
    manifest = folder / "labels.csv"
    manifest.write_text("\n".join(["image,label", *lines]))
    file = tmp_path / "fixes.csv"
    file.write_text("image,label,suggested\ncat/4.png,lion,tiger\n")
    data = ManifestDataModule(manifest, image_size=8, options=Options(label_fixes=file))
    labels = labels_of(data)
    assert labels["cat/4.png"] == "tiger"
    assert list(labels.values()).count("tiger") == 11


def test_file_saved_by_a_spreadsheet_is_read(with_file):
    header = "rank;image;label;suggested;split"
    data = with_file("1; cat/3.png ;cat;dog;train", "", header=header)
    assert labels_of(data)["cat/3.png"] == "dog"


def test_fixes_name_merged_classes(with_file):
    data = with_file("cat/3.png,cat,pet", merge_classes={"pet": ["dog"]})
    assert labels_of(data)["cat/3.png"] == "pet"


def test_limit_counts_corrected_labels(with_file):
    data = with_file("cat/3.png,cat,dog", limit_per_class=2)
    assert np.bincount(data.sources["train"].labels).tolist() == [2, 2]


def test_number_of_fixes_is_logged(with_file, caplog):
    with caplog.at_level("INFO"):
        _ = with_file("cat/3.png,cat,dog", "cat/4.png,cat,", "cat/5.png,cat,cat").sources
    assert "label_fixes.csv: 1 labels corrected, 1 images left out." in caplog.text


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["cat/33.png,cat,dog"],
            r"fixes.csv, line 2: 'cat/33.png' is not .*similar: cat/3",
        ),
        (
            ["zebra,cat,dog"],
            r"line 2: 'zebra' is not an image of .*; for example cat/0.png",
        ),
        (["predict/0.png,cat,dog"], r"'predict/0.png' is not an image of the dataset"),
        (["cat/3.png,cat,dgo"], r"line 2: 'dgo' is not a class: expected cat, dog"),
        (["cat/3.png,lion,dog"], r"line 2: 'lion' is not a class: expected cat, dog"),
        (["cat/1.png,cat,dog", "cat/1.png,cat,"], r"line 3: 'cat/1.png' is listed a second time"),
        (
            ["cat/1.png,cat,dog", "", "cat/2.png,dog,cat"],
            r"line 4: 'cat/2.png' is cat in the dataset, not dog: if it was corrected, delete",
        ),
    ],
)
def test_impossible_fix_is_named_with_its_line(with_file, lines, message):
    with pytest.raises(ValueError, match=message):
        _ = with_file(*lines).sources


def test_missing_file_and_column_are_named(folder, with_file, tmp_path):
    options = Options(label_fixes=tmp_path / "no.csv")
    with pytest.raises(ValueError, match=r"no file .*no\.csv \(options\.label_fixes\)"):
        _ = ImageFolderDataModule(folder, image_size=8, options=options).sources
    with pytest.raises(ValueError, match=r"no column 'suggested'; options.label_fixes reads image"):
        _ = with_file("cat/1.png,cat", header="image,label").sources


def test_class_that_fixes_empty_is_named(with_file):
    rows = [f"cat/{index}.png,cat,dog" for index in range(20)]
    with pytest.raises(ValueError, match="no training image of cat"):
        _ = with_file(*rows).sources


def test_a_fix_before_the_split_would_move_other_images(folder):
    """The reason why labels are corrected after the split."""
    loaded = ImageFolderDataModule(folder, image_size=8).load()
    before = arrange(loaded, ("cat", "dog"), SplitSettings(), Options())["val"].names
    labels = loaded["train"].labels.copy()
    labels[list(loaded["train"].names).index(before[0])] = 1
    loaded["train"] = replace(loaded["train"], labels=labels)
    after = arrange(loaded, ("cat", "dog"), SplitSettings(), Options())["val"].names
    assert len(set(before) - set(after)) == 1


def test_file_may_be_named_by_a_string(folder, with_file):
    with_file("cat/3.png,cat,dog")
    options = Options(label_fixes=str(folder.parent / "label_fixes.csv"))
    assert labels_of(ImageFolderDataModule(folder, options=options))["cat/3.png"] == "dog"
