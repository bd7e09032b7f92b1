import pytest

from datamodules import ManifestDataModule


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
    assert data.class_names == ("NA", "sea")  # pandas would take NA for missing
    assert sum(len(source.labels) for source in data.sources.values()) == 20


def test_split_column_is_kept_and_what_it_lacks_is_split_off(make_manifest):
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


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["picture,label", "images/0.png,sea"], "no column 'image'; it has picture, label"),
        (["image,label", "images/0.png,"], r"line 2: 'images/0.png' has no label\."),
        (["image,label", ROWS[0], "gone.png,sea"], "line 3: 'gone.png' is not in"),
        (
            ["image,label", "../x.png,sea", "/etc/passwd,sea"],
            r"line 2.*lies outside .*--data.root \(and 1",
        ),
        (["image,label", ROWS[0], ROWS[1], ROWS[0]], r"line 4: 'images/0.png' is listed a second"),
        (["image,label,split", f"{ROWS[0]},training"], r"line 2: .* a split that is none of"),
        (["image,label,split", f"{ROWS[0]},test"], "no row of the split 'train'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(make_manifest, lines, message):
    with pytest.raises(ValueError, match=message):
        _ = make_manifest(*lines).sources


def test_missing_manifest_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no manifest .*gone\.csv"):
        _ = ManifestDataModule(tmp_path / "gone.csv").class_names
