import csv

import numpy as np
import pytest
from PIL import Image

from datamodules import ImageFolderDataModule, ManifestDataModule, Options, SplitSettings
from lightning_app.commands.prepare import tables
from lightning_app.commands.prepare.split import split


@pytest.fixture
def root(tmp_path):
    return tmp_path / "images"


@pytest.fixture
def make(root):
    def write(*folders, images=20):
        for folder in folders:
            (root / folder).mkdir(parents=True)
            for index in range(images):
                picture = np.full((4, 4, 3), index, np.uint8)
                Image.fromarray(picture).save(root / folder / f"{index}.png")
        return root

    return write


def names(folder, part):
    with (folder / f"{part}.csv").open(newline="") as stream:
        return [row["image"] for row in csv.DictReader(stream)]


@pytest.mark.parametrize(
    ("args", "as_datamodule"),
    [
        ([], SplitSettings()),
        (["--val", "0.3", "--test", "0.2", "--seed", "4"], SplitSettings(0.3, 0.2, seed=4)),
        (
            ["--val_per_class", "4", "--test_per_class", "3"],
            SplitSettings(val_per_class=4, test_per_class=3),
        ),
    ],
)
def test_splits_are_those_of_the_datamodule(make, tmp_path, args, as_datamodule):
    root, out = make("cat", "dog"), tmp_path / "csv"
    split([str(root), "--out", str(out), *args])
    data = ImageFolderDataModule(root, image_size=4, split=as_datamodule)
    for part in ("train", "val", "test"):
        assert names(out, part) == list(data.sources[part].names)


def test_limit_keeps_the_images_that_the_datamodule_keeps(make, tmp_path):
    root, out = make("cat", "dog"), tmp_path / "csv"
    split([str(root), "--out", str(out), "--limit_per_class", "5"])
    data = ImageFolderDataModule(root, image_size=4, options=Options(limit_per_class=5))
    assert names(out, "train") == list(data.sources["train"].names)
    assert len(names(out, "train")) == 10


def test_manifests_are_what_training_reads(make, tmp_path, capsys):
    root, out = make("cat", "dog"), tmp_path / "csv"
    split([str(root), "--out", str(out), "--val_per_class", "4", "--test_per_class", "3"])
    data = ManifestDataModule(out, root, image_size=4)
    assert data.class_names == ("cat", "dog")
    counts = {part: np.bincount(source.labels).tolist() for part, source in data.sources.items()}
    assert counts == {"train": [13, 13], "val": [4, 4], "test": [3, 3]}
    shown = capsys.readouterr().out
    assert f"--data.manifest {out} --data.root {root}" in shown
    assert [line.split() for line in shown.splitlines()[:4]] == [
        ["class", "train", "val", "test"],
        ["cat", "13", "4", "3"],
        ["dog", "13", "4", "3"],
        ["total", "26", "8", "6"],
    ]


def test_folders_of_splits_are_kept(make, tmp_path):
    root, out = make("train/cat", "train/dog", "val/cat", "val/dog", "test"), tmp_path / "csv"
    split([str(root), "--out", str(out), "--test", "0"])
    assert len(names(out, "train")) == len(names(out, "val")) == 40
    assert names(out, "predict") == sorted(f"test/{index}.png" for index in range(20))
    assert not (out / "test.csv").exists()


def test_size_of_an_existing_split_is_refused(make, tmp_path):
    root = make("train/cat", "train/dog", "val/cat", "val/dog")
    with pytest.raises(ValueError, match=r"already has val images.*leave out --val and"):
        split([str(root), "--out", str(tmp_path / "csv"), "--val", "0.2"])


def test_folder_to_predict_is_not_a_class(make, tmp_path):
    root, out = make("cat", "dog", "new"), tmp_path / "csv"
    split([str(root), "--out", str(out), "--predict", str(root / "new")])
    assert len(names(out, "predict")) == 20
    assert ManifestDataModule(out, root, image_size=4).class_names == ("cat", "dog")


def test_images_to_predict_from_elsewhere_are_refused(make, tmp_path):
    with pytest.raises(ValueError, match=r"new is outside .*images, which the paths"):
        split([str(make("cat")), "--out", str(tmp_path), "--predict", str(tmp_path / "new")])


def test_excluding_a_class_moves_no_other_image(make, tmp_path):
    root = make("ant", "cat", "dog")
    split([str(root), "--out", str(tmp_path / "all")])
    split([str(root), "--out", str(tmp_path / "some"), "--exclude", "cat"])
    for part in ("train", "val", "test"):
        kept = [name for name in names(tmp_path / "all", part) if not name.startswith("cat/")]
        assert names(tmp_path / "some", part) == kept


def test_unknown_excluded_class_is_named(make, tmp_path):
    with pytest.raises(ValueError, match="--exclude names cow; the classes are cat, dog"):
        split([str(make("cat", "dog")), "--out", str(tmp_path / "csv"), "--exclude", "cow"])


def test_manifests_are_overwritten_only_if_asked(make, tmp_path):
    args = [str(make("cat", "dog")), "--out", str(tmp_path / "csv")]
    split(args)
    with pytest.raises(ValueError, match=r"has train\.csv, val\.csv, test\.csv already; --force"):
        split(args)
    split([*args, "--force", "--test", "0"])
    assert sorted(file.name for file in (tmp_path / "csv").iterdir()) == ["train.csv", "val.csv"]


def test_class_without_training_images_is_named(make, tmp_path):
    root = make("train/cat", "val/dog")
    with pytest.raises(
        ValueError, match=r"val has classes that .*train lacks: dog\. Known are cat"
    ):
        split([str(root), "--out", str(tmp_path / "csv")])


def test_number_has_to_be_positive(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        split([str(tmp_path), "--out", str(tmp_path), "--val_per_class", "0"])
    assert "--val_per_class: invalid positive value: '0'" in capsys.readouterr().err


def test_table_lists_some_of_very_many_classes(make, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tables, "MOST_CLASSES", 2)
    split([str(make("cat", "dog", "owl", images=4)), "--out", str(tmp_path / "out")])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[1:4]] == ["cat", "dog", "…"]
    assert lines[3][1:] == ["1", "more", "classes"]
    assert lines[4][0] == "total"
    assert sum(map(int, lines[4][1:])) == 12
