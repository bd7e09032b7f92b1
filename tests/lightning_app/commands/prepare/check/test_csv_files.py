import numpy as np
import pytest

from datamodules import ManifestDataModule, PixelCSVDataModule
from lightning_app.commands.prepare.check.check import check, find, list_dataset
from lightning_app.commands.prepare.check.survey import survey

SOUND = "image,label\na.png,cat\nb.png,cat\nc.png,dog\nd.png,dog\n"


@pytest.fixture
def images(save, tmp_path):
    for number, name in enumerate("abcdef"):
        save(f"{name}.png", number)
    return tmp_path / "data"


@pytest.fixture
def face(photograph):
    """The pixels of a grey image of 16 x 16 pixels, another for each seed, as text."""
    return lambda seed: " ".join(map(str, photograph(seed, (16, 16))[..., 0].ravel()))


@pytest.fixture
def faces(tmp_path, face):
    """Write a CSV file of pixels with six sound rows of two classes, and the given ones."""

    def write(*rows):
        sound = [f"{seed % 2},{face(seed)},Training" for seed in range(6)]
        file = tmp_path / "faces.csv"
        file.write_text("\n".join(["emotion,pixels,Usage", *sound, *rows]) + "\n")
        return file

    return write


def exhibits(findings):
    return {
        finding.title: [exhibit.name for group in finding.groups for exhibit in group]
        for finding in findings
    }


def all_findings(listing):
    return find(listing, survey(listing.entries, 1))


def test_every_wrong_row_of_a_manifest_is_found(images, save):
    save("../outside.png", 9)
    rows = [
        *("image,label,split", "a.png,cat,train", "b.png,cat,train", "c.png,dog,train"),
        *("d.png,dog,val", "a.png,dog,train", "gone.png,cat,train", "../outside.png,cat,train"),
        *("e.png,,train", "f.png,cat,holdout"),
    ]
    (images / "all.csv").write_text("\n".join(rows))
    listing = list_dataset(images / "all.csv")
    assert exhibits(listing.findings) == {
        "Rows of an unknown split": ["f.png"],
        "Rows without a label": ["e.png"],
        "Images that are listed twice": ["a.png"],
        "Images outside the root": ["../outside.png"],
        "Images that do not exist": ["gone.png"],
    }
    assert [entry.name for entry in listing.entries] == ["a.png", "b.png", "c.png", "d.png"]
    assert all(finding.severity == "error" for finding in listing.findings)
    assert [finding.groups[0][0].remark for finding in listing.findings] == [
        *("all.csv, line 10: 'holdout'", "all.csv, line 9", "all.csv, line 6"),
        *("all.csv, line 8", "all.csv, line 7"),
    ]


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ("a.png,cat,holdout", "Rows of an unknown split"),
        ("e.png,,val", "Rows without a label"),
        ("./a.png,dog,train", "Images that are listed twice"),  # one image with two paths
        ("../outside.png,cat,train", "Images outside the root"),
        ("gone.png,cat,train", "Images that do not exist"),
    ],
)
def test_check_finds_in_a_manifest_what_the_datamodule_refuses(images, row, title):
    rows = ["image,label,split", "a.png,cat,train", "b.png,dog,train", row]
    file = images / "all.csv"
    file.write_text("\n".join(rows))
    assert title in exhibits(list_dataset(file).findings)
    with pytest.raises(ValueError, match=r"all\.csv, line 4: "):
        ManifestDataModule(file).load()


def test_labels_may_be_indices_of_given_names(images):
    (images / "all.csv").write_text("image,label\na.png,0\nb.png,1\nc.png,2\n")
    listing = list_dataset(images / "all.csv", class_names=["cat", "dog"])
    assert [entry.label for entry in listing.entries] == ["cat", "dog"]
    assert exhibits(listing.findings)["Rows of an unknown class"] == ["c.png"]


def test_images_that_no_manifest_lists(images):
    (images / "all.csv").write_text(SOUND)
    assert exhibits(list_dataset(images / "all.csv").findings) == {
        "Images that no manifest lists": ["e.png", "f.png"]
    }


def test_folder_with_one_file_per_split(images, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.csv").write_text(SOUND)
    (lists / "val.csv").write_text("image,label\ne.png,cat\n")
    (lists / "test.csv").write_text("image\nf.png\n")
    listing = list_dataset(lists, root=images)
    # As in the datamodule, test images without a label are for `predict`.
    assert [(e.split, e.label) for e in listing.entries[4:]] == [("val", "cat"), ("predict", "")]
    assert listing.findings == []


def test_copies_of_one_group_are_intended(images, save):
    save("g.png", 0)
    rows = SOUND.replace("label\n", "label,group\n").replace("a.png,cat", "a.png,cat,one")
    (images / "all.csv").write_text(rows + "g.png,cat,one\ne.png,dog,two\nf.png,dog,three\n")
    assert all_findings(list_dataset(images / "all.csv")) == []


def test_missing_column_is_named(images):
    (images / "all.csv").write_text("picture,label\na.png,cat\n")
    with pytest.raises(ValueError, match=r"all\.csv has no column 'image'; it has picture, label"):
        list_dataset(images / "all.csv")


def test_wrong_root_is_not_a_list_of_every_image(images, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "all.csv").write_text(SOUND)
    with pytest.raises(ValueError, match=r"lists no training image that exists in .*--root"):
        list_dataset(lists / "all.csv")


def test_missing_root_is_named(images):
    (images / "all.csv").write_text(SOUND)
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere \(--root\)"):
        list_dataset(images / "all.csv", root=images / "nowhere")


def test_every_wrong_row_of_pixels_is_found(faces, face):
    numbers = face(9)
    file = faces(
        f"0,{numbers.replace(' ', ' x ', 1)},Training",
        "1,1 2 3 4,Training",
        f"0,{numbers} 7,Training",
        f"1,256{numbers[numbers.index(' ') :]},Training",
        f"0,{numbers},Exam",
        f",{numbers},PublicTest",
        f"7,{face(10)},Training",
    )
    listing = list_dataset(file, class_names=["sad", "happy"])
    assert exhibits(listing.findings) == {
        "Rows whose pixels are not numbers": ["faces.csv:8"],
        "Rows with a wrong number of pixels": ["faces.csv:9", "faces.csv:10"],
        "Rows with a pixel out of range": ["faces.csv:11"],
        "Rows of an unknown split": ["faces.csv:12"],
        "Rows without a label": ["faces.csv:13"],
        "Rows of an unknown class": ["faces.csv:14"],
    }
    assert [entry.label for entry in listing.entries] == ["sad", "happy"] * 3


@pytest.mark.parametrize("row", ["0,1 2,Training", "0,1 x,Training", "0,{},Exam", ",{},PublicTest"])
def test_check_finds_in_pixels_what_the_datamodule_refuses(faces, face, row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = faces(row.format(face(9)))
    assert len(list_dataset(file).findings) == 1
    with pytest.raises(ValueError, match=r"faces\.csv, line 8: "):
        PixelCSVDataModule(file).load()


def test_copies_of_pixels_are_found_within_and_across_splits(faces, face):
    file = faces(
        f"0,{face(0)},Training",
        f"1,{face(1)},PublicTest",
        f"1,{face(2)},PrivateTest",
        f"0,{face(8)},",
    )
    found = exhibits(all_findings(list_dataset(file)))
    assert found["The same image several times in a split"] == ["faces.csv:2", "faces.csv:8"]
    assert found["The same image in several splits"] == ["faces.csv:3", "faces.csv:9"]
    assert found["The same image under several labels"] == ["faces.csv:4", "faces.csv:10"]


def test_sound_pixels_have_no_finding_but_their_size(faces):
    assert list(exhibits(all_findings(list_dataset(faces())))) == ["Images smaller than 32 pixels"]


def test_pixels_of_a_folder_with_one_file_per_split(tmp_path, face):
    for split, seeds in (("train", range(4)), ("test", range(4, 6))):
        rows = [f"{seed % 2},{face(seed)}" for seed in seeds]
        (tmp_path / f"{split}.csv").write_text("\n".join(["label,feature", *rows]))
    entries = list_dataset(tmp_path).entries
    assert [(e.name, e.split, e.label) for e in entries[3:]] == [
        *(("train.csv:5", "train", "1"), ("test.csv:2", "test", "0"), ("test.csv:3", "test", "1")),
    ]


def test_report_on_pixels_shows_their_images_and_counts_classes(faces, face, tmp_path, capsys):
    file, out = faces(f"1,{face(0)},PublicTest"), tmp_path / "check.html"
    with pytest.raises(SystemExit):
        check([str(file), "--class_names", "sad", "happy", "--out", str(out)])
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines()[:3]] == [
        *(["class", "train", "test"], ["happy", "3", "1"], ["sad", "3", "0"]),
    ]
    assert "= faces.csv:8 (happy in test)" in shown
    assert out.read_text("utf-8").count("data:image/webp;base64,") >= 2


def test_thumbnails_of_pixels_are_rgb(faces):
    [facts, *_] = survey(list_dataset(faces()).entries, 1)
    assert facts.size == (16, 16)
    assert facts.thumbnail.shape == (32, 32, 3)
    np.testing.assert_array_equal(facts.thumbnail[..., 0], facts.thumbnail[..., 2])


def test_root_is_not_for_pixels(faces, tmp_path):
    with pytest.raises(ValueError, match=r"--root is for tables of image files; .* is none"):
        list_dataset(faces(), root=tmp_path)


def test_what_training_only_warns_of_is_no_error(images):
    rows = ["a.png,rust", "b.png,scab", "c.png,rust scab", "d.png,rust", "e.png,scab"]
    (images / "all.csv").write_text("\n".join(["image,label", *rows]))
    [several] = [f for f in list_dataset(images / "all.csv").findings if "several" in f.title]
    assert several.severity == "warning"
