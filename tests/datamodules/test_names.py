"""Names: one order and one spelling everywhere, on folders that the tests make."""

import os
import unicodedata

import numpy as np
import pytest

from datamodules import ImageFolderDataModule, ManifestDataModule, Options
from datamodules.names import composed, in_order, is_text, shown, spelled_as
from datamodules.splits.stratified import hash_order

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["10", "2", "1", "0"], ["0", "1", "2", "10"]),
        (["10.0", "2.0", "-1.5"], ["-1.5", "2.0", "10.0"]),
        (["01", "1", "0"], ["0", "01", "1"]),
        (["10", "2", "cat"], ["10", "2", "cat"]),
        (["nan", "10", "2"], ["10", "2", "nan"]),
        (["1_0", "2"], ["1_0", "2"]),
        (["b", "a", "b"], ["a", "b"]),
        ([], []),
    ],
)
def test_names_are_ordered_as_numbers_if_all_are_numbers(names, ordered):
    assert in_order(names) == ordered


def test_class_folders_and_manifests_number_classes_alike(tmp_path, write_image):
    rows = ["image,label"]
    for name in ("0", "1", "2", "10"):
        for index in range(3):
            write_image(tmp_path / name / f"{index}.png")
            rows.append(f"{name}/{index}.png,{name}")
    (tmp_path / "all.csv").write_text("\n".join(rows))
    expected = ("0", "1", "2", "10")
    assert ImageFolderDataModule(tmp_path).class_names == expected
    assert ManifestDataModule(tmp_path / "all.csv").class_names == expected


def test_one_class_in_two_normal_forms_is_one_class(tmp_path, write_image):
    for split, name in (("train", COMPOSED), ("val", DECOMPOSED)):
        for label in (name, "dog"):
            write_image(tmp_path / split / label / "a.png")
    data = ImageFolderDataModule(tmp_path, options=Options(exclude_classes=[DECOMPOSED]))
    assert data.class_names == (COMPOSED, "dog")
    assert data.sources["train"].labels.tolist() == [1]
    assert data.load()["val"].labels.tolist() == [0, 1]


def test_manifest_may_spell_images_and_labels_in_another_form(tmp_path, write_image):
    rows = [f"{COMPOSED}/{n}.png,{DECOMPOSED if n % 2 else COMPOSED}" for n in range(4)]
    for n in range(4):
        write_image(tmp_path / DECOMPOSED / f"{n}.png")
    (tmp_path / "all.csv").write_text("\n".join(["image,label", *rows]))
    data = ManifestDataModule(tmp_path / "all.csv", class_names=[DECOMPOSED, "dog"])
    assert data.class_names == (COMPOSED, "dog")
    assert data.load()["train"].labels.tolist() == [0, 0, 0, 0]
    assert data.load()["train"].read(0).shape == (224, 224, 3)


def test_split_does_not_depend_on_the_normal_form():
    names = [f"{name}/{number}.png" for name in ("café", "thé") for number in range(20)]
    decomposed = [unicodedata.normalize("NFD", name) for name in names]
    assert decomposed != names
    assert np.array_equal(hash_order(names, 3), hash_order(decomposed, 3))


def test_name_in_latin_1_is_shown_with_its_bytes():
    name = os.fsdecode(b"caf\xe9.png")
    assert not is_text(name)
    assert shown(name) == "caf\\xe9.png"
    assert is_text(COMPOSED)
    assert shown(COMPOSED) == composed(DECOMPOSED)


def test_path_without_a_file_in_any_form_stays_as_it_is():
    assert spelled_as(COMPOSED, lambda path: path == DECOMPOSED) == DECOMPOSED
    assert spelled_as(DECOMPOSED, lambda path: False) == DECOMPOSED
