import csv
import os
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from datamodules import ManifestDataModule
from lightning_app.commands.prepare.augment import augment
from lightning_app.commands.prepare.split import split

NUMBERS = ("--per_class", "24", "--val_per_class", "6", "--test_per_class", "2")


@pytest.fixture
def root(tmp_path):
    """Sixteen cats and nine dogs, JPEG and PNG."""
    rng = np.random.default_rng(0)
    for name, count, suffix in (("cat", 16, "jpg"), ("dog", 9, "png")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for index in range(count):
            picture = cv2.resize(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (20, 14))
            Image.fromarray(picture).save(tmp_path / "images" / name / f"{index}.{suffix}")
    return tmp_path / "images"


@pytest.fixture
def run(root, tmp_path):
    """Augment into a folder of the given name, and read the manifest."""

    def augmented(name, *args, data=root):
        out = tmp_path / name
        augment([str(data), "--out", str(out), "--processes", "1", *NUMBERS, *args])
        with (out / "manifest.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    return augmented


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "settings.json"
    }


def groups(rows, part):
    return {row["group"] for row in rows if row["split"] == part}


def test_classes_are_balanced(run):
    counts = Counter((row["label"], row["split"]) for row in run("out"))
    expected = {"train": 18, "val": 6, "test": 2}
    assert counts == {
        (name, part): number for name in ("cat", "dog") for part, number in expected.items()
    }


def test_class_counts_before_and_after_are_printed_written_and_drawn(run, tmp_path, capsys):
    run("out")
    with (tmp_path / "out" / "class_counts.csv").open(newline="") as stream:
        rows = {row.pop("class"): row for row in csv.DictReader(stream)}
    counts = {name: [int(number) for number in row.values()] for name, row in rows.items()}
    assert {name: numbers[1::2] for name, numbers in counts.items()} == {
        "cat": [18, 6, 2],
        "dog": [18, 6, 2],
    }
    before = {name: numbers[::2] for name, numbers in counts.items()}
    assert {name: (sum(old), old[2]) for name, old in before.items()} == {
        "cat": (16, 2),
        "dog": (9, 2),
    }
    printed = capsys.readouterr().out
    assert "Images of each class, before → after:" in printed
    train, val, _ = before["dog"]
    assert [line.split() for line in printed.splitlines() if line.startswith("dog")] == [
        ["dog", *f"{train} → 18 {val} → 6 2 → 2".split()]
    ]
    assert "total" in printed
    assert Image.open(tmp_path / "out" / "class_counts.png").width > 1000


def test_copies_of_one_original_stay_in_one_split(run, root):
    rows = run("out")
    sides = [groups(rows, part) for part in ("train", "val", "test")]
    assert sum(map(len, sides)) == len(set.union(*sides)) == len(list(root.rglob("*.*")))


def test_originals_and_test_images_are_copied_unchanged(run, root, tmp_path):
    rows = run("out")
    as_found = {row["group"]: row["image"] for row in rows if "-0000." in row["image"]}
    assert len(as_found) == 25
    for original, image in as_found.items():
        assert (tmp_path / "out" / image).read_bytes() == (root / original).read_bytes()


def test_copies_differ_from_each_other_and_keep_size_and_format(run, root, tmp_path):
    rows = run("out")
    copies = [tmp_path / "out" / row["image"] for row in rows if "-0000." not in row["image"]]
    assert len({file.read_bytes() for file in copies}) == len(copies) > 20
    assert {Image.open(file).size for file in copies} == {(20, 14)}
    assert {(file.parent.name, file.suffix) for file in copies} == {
        ("cat", ".jpg"),
        ("dog", ".png"),
    }


def test_image_size_resizes_all_but_test_images(run, tmp_path):
    rows = run("out", "--image_size", "8")
    sizes = {(row["split"], Image.open(tmp_path / "out" / row["image"]).size) for row in rows}
    assert sizes == {("train", (8, 8)), ("val", (8, 8)), ("test", (20, 14))}


def test_datamodule_reads_what_was_written(run, tmp_path):
    run("out")
    data = ManifestDataModule(tmp_path / "out" / "manifest.csv", image_size=8, num_workers=0)
    assert {part: len(source) for part, source in data.sources.items()} == {
        "train": 36,
        "val": 12,
        "test": 4,
    }
    assert data.class_counts == [18, 18]
    assert data.sources["train"].read(0).shape == (8, 8, 3)


def test_two_processes_write_the_same_bytes(run, tmp_path):
    run("one")
    run("two", "--processes", "2")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_interrupted_run_resumes_and_keeps_existing_files(run, tmp_path):
    rows = run("out")
    before = contents(tmp_path / "out")
    kept, lost = rows[::2], rows[1::2]
    for row in lost:
        (tmp_path / "out" / row["image"]).unlink()
    (tmp_path / "out" / "manifest.csv").unlink()
    for row in kept:
        os.utime(tmp_path / "out" / row["image"], (1, 1))
    run("out")
    assert contents(tmp_path / "out") == before
    assert all((tmp_path / "out" / row["image"]).stat().st_mtime == 1 for row in kept)


def test_interrupt_leaves_whole_images_and_no_manifest(run, tmp_path, capsys, monkeypatch):
    synced = []

    def interrupted_in_the_eleventh_file(descriptor):
        synced.append(descriptor)
        if len(synced) == 11:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted_in_the_eleventh_file)
    with pytest.raises(SystemExit, match="130"):
        run("out")
    assert "Interrupted: the same command resumes" in capsys.readouterr().err
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert len(files) == 10  # `settings.json` and nine images
    whole = [cv2.imread(str(file)) for file in files if file.name != "settings.json"]
    assert all(image is not None for image in whole)


def test_other_seed_gives_other_copies(run, tmp_path):
    run("zero")
    run("one", "--seed", "1")
    assert contents(tmp_path / "zero") != contents(tmp_path / "one")


def test_other_settings_for_the_same_folder_are_refused(run):
    run("out")
    with pytest.raises(ValueError, match=r"holds images made with --preset light, not s2\. Choose"):
        run("out", "--preset", "s2")


def test_other_originals_for_the_same_folder_are_refused(run, root):
    run("out")
    (root / "dog" / "8.png").rename(root / "dog" / "9.png")
    with pytest.raises(ValueError, match="holds images made with other originals"):
        run("out")


def test_edited_augmentation_for_the_same_folder_is_refused(run, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("- class_path: albumentations.HorizontalFlip")
    run("out", "--preset", str(file))
    file.write_text("- class_path: albumentations.VerticalFlip")
    with pytest.raises(ValueError, match="made with another augmentation in the file"):
        run("out", "--preset", str(file))


def test_folder_with_other_files_is_refused(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"out is not empty\. Choose another --out"):
        run("out")


def test_allowed_leak_is_warned_of(run, capsys):
    rows = run("out", "--allow_leak")
    assert Counter(row["split"] for row in rows) == {"train": 36, "val": 12, "test": 4}
    both = groups(rows, "train") & groups(rows, "val")
    assert both
    assert not groups(rows, "test") & (groups(rows, "train") | groups(rows, "val"))
    warning = capsys.readouterr().err
    assert f"warning: copies of {len(both)} originals are in both train and val" in warning


def test_existing_splits_are_kept(root, tmp_path):
    split([str(root), "--out", str(tmp_path / "csv"), "--val", "0.3", "--test_per_class", "2"])
    out, numbers = tmp_path / "out", ["--per_class", "24", "--val_per_class", "6"]
    augment([str(tmp_path / "csv"), "--root", str(root), "--out", str(out), *numbers])
    data = ManifestDataModule(tmp_path / "csv", root, image_size=8)
    with (out / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for part in ("train", "val", "test"):
        assert groups(rows, part) == set(data.sources[part].names)


def test_images_of_one_name_do_not_overwrite_each_other(run, root):
    (root / "cat" / "more").mkdir()
    for file in list(root.glob("cat/*.jpg")):
        shutil.copy(file, root / "cat" / "more" / file.name)
        shutil.copy(file, root / "cat" / f"{file.stem}-0001.jpg")
    rows = run("out", "--per_class", "60")
    images = [row["image"] for row in rows]
    assert len(set(images)) == len(images) == 124


def test_unreadable_original_is_named(run, root):
    (root / "cat" / "3.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"(?s)images cannot be read, such as\n.*3\.jpg is empty"):
        run("out")


def test_too_many_validation_images_are_refused(run):
    with pytest.raises(ValueError, match=r"fewer validation images than --per_class 24.*got 24"):
        run("out", "--val_per_class", "24")


def test_root_without_a_manifest_is_refused(run, root):
    with pytest.raises(ValueError, match="is not a manifest; --root is for manifests only"):
        run("out", "--root", str(root))


def test_label_that_leaves_the_folder_is_refused(run, root, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("image,label\ncat/0.jpg,../cat\ncat/1.jpg,dog\n")
    with pytest.raises(
        ValueError, match=r"A class becomes a folder, which cannot be named \.\./cat"
    ):
        run("out", "--root", str(root), data=file)
