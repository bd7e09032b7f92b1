import pytest

from lightning_app.commands.prepare.check.check import find, list_data
from lightning_app.commands.prepare.check.survey import survey

SOUND = "image,label\na.png,cat\nb.png,cat\nc.png,dog\nd.png,dog\n"


@pytest.fixture
def images(save, tmp_path):
    for number, name in enumerate("abcdef"):
        save(f"{name}.png", number)
    return tmp_path / "data"


def exhibits(listing):
    return {
        finding.title: [str(exhibit.name) for group in finding.groups for exhibit in group]
        for finding in listing.findings
    }


def test_every_wrong_row_is_found(images, save):
    save("../outside.png", 9)
    rows = [
        *("image,label,split", "a.png,cat,train", "b.png,cat,train", "c.png,dog,train"),
        *("d.png,dog,val", "a.png,dog,train", "gone.png,cat,train", "../outside.png,cat,train"),
        *("e.png,,train", "f.png,cat,holdout"),
    ]
    (images / "all.csv").write_text("\n".join(rows))
    listing = list_data(images / "all.csv")
    assert exhibits(listing) == {
        "Rows of an unknown split": ["f.png"],
        "Rows without a label": ["e.png"],
        "Rows that name an image a second time": ["a.png"],
        "Images outside the root": ["../outside.png"],
        "Images that do not exist": ["gone.png"],
    }
    assert [entry.name for entry in listing.entries] == ["a.png", "b.png", "c.png", "d.png"]
    assert all(finding.severity == "error" for finding in listing.findings)
    assert listing.findings[0].groups[0][0].remark == "all.csv, line 10"


def test_images_that_no_manifest_names(images):
    (images / "all.csv").write_text(SOUND)
    assert exhibits(list_data(images / "all.csv")) == {
        "Images that no manifest names": ["e.png", "f.png"]
    }


def test_folder_of_one_file_a_split(images, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.csv").write_text(SOUND)
    (lists / "val.csv").write_text("image,label\ne.png,cat\n")
    (lists / "test.csv").write_text("image\nf.png\n")
    listing = list_data(lists, root=images)
    assert [(e.split, e.label) for e in listing.entries[4:]] == [("val", "cat"), ("test", "")]
    assert listing.findings == []


def test_copies_of_one_group_are_meant(images, save):
    save("g.png", 0)
    rows = SOUND.replace("label\n", "label,group\n").replace("a.png,cat", "a.png,cat,one")
    (images / "all.csv").write_text(rows + "g.png,cat,one\ne.png,dog,two\nf.png,dog,three\n")
    listing = list_data(images / "all.csv")
    assert find(listing, survey([entry.file for entry in listing.entries], 1)) == []


def test_missing_column_is_named(images):
    (images / "all.csv").write_text("path,label\na.png,cat\n")
    with pytest.raises(ValueError, match=r"all\.csv has no column 'image'; it has path, label"):
        list_data(images / "all.csv")


def test_wrong_root_is_not_a_list_of_every_image(images, tmp_path):
    (tmp_path / "all.csv").write_text(SOUND)
    with pytest.raises(ValueError, match=r"names no training image that is in .*--root"):
        list_data(tmp_path / "all.csv")


def test_root_that_is_not_there_is_named(images):
    (images / "all.csv").write_text(SOUND)
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere \(--root\)"):
        list_data(images / "all.csv", root=images / "nowhere")
