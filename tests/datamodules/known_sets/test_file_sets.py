"""Datasets of image files, each in its published layout."""

import json

import numpy as np
import pytest
from scipy.io import savemat
from torchvision import datasets

from datamodules import TorchvisionDataModule
from datamodules.known_sets.layouts import TRAFFIC_SIGNS

NAMES = ("ant", "bee", "cat")
TRAIN_TEST, ALL_THREE = ("train", "test"), ("train", "val", "test")


def write_text(file, lines):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))


def write_folders(folders, suffix, names=NAMES):
    """Class folders of each split."""

    def write(root, write_images):
        for split, folder in folders.items():
            write_images(f"{folder}/{{name}}/{{n}}{suffix}", split, names)

    return write


def write_caltech101(root, write_images):
    folder = "caltech101/101_ObjectCategories"
    write_images(f"{folder}/{{name}}/image_{{k:04d}}.jpg", "train", NAMES)
    (root / folder / "BACKGROUND_Google").mkdir()


def write_dtd(root, write_images):
    for split in ALL_THREE:
        files = write_images("dtd/dtd/images/{name}/{split}{n}.jpg", split, NAMES)
        lines = [f"{file.parent.name}/{file.name}" for file in files]
        write_text(root / f"dtd/dtd/labels/{split}1.txt", lines)


def write_aircraft(root, write_images):
    folder = root / "fgvc-aircraft-2013b" / "data"
    for split in ALL_THREE:
        files = write_images(f"{folder}/images/{{split}}{{n}}.jpg", split, AIRCRAFT)
        rows = [f"{file.stem} {AIRCRAFT[n % 3]}" for n, file in enumerate(files)]
        write_text(folder / f"images_variant_{split}.txt", rows)
    write_text(folder / "variants.txt", AIRCRAFT)


def write_flowers(root, write_images):
    labels, ids = [], {}
    for split, key in (("train", "trnid"), ("val", "valid"), ("test", "tstid")):
        first = len(labels) + 1
        pattern = "flowers-102/jpg/image_{n:05d}.jpg"
        files = write_images(pattern, split, datasets.Flowers102.classes, first)
        labels += [n % 102 + 1 for n in range(len(files))]
        ids[key] = np.arange(first, len(labels) + 1)[None]
    savemat(root / "flowers-102" / "imagelabels.mat", {"labels": np.array(labels)[None]})
    savemat(root / "flowers-102" / "setid.mat", ids)


def write_food(root, write_images):
    (root / "food-101" / "meta").mkdir(parents=True)
    for split in TRAIN_TEST:
        files = write_images("food-101/images/{name}/{split}{n}.jpg", split, NAMES)
        listed = {name: [] for name in NAMES[::-1]}
        for file in files:
            listed[file.parent.name].append(f"{file.parent.name}/{file.stem}")
        (root / "food-101" / "meta" / f"{split}.json").write_text(json.dumps(listed))


def write_gtsrb(root, write_images):
    folder = root / "gtsrb"
    track = f"{folder}/GTSRB/Training/{{y:05d}}/00000_{{k:05d}}.ppm"
    write_images(track, "train", TRAFFIC_SIGNS)
    test = f"{folder}/GTSRB/Final_Test/Images/{{n:05d}}.ppm"
    files = write_images(test, "test", TRAFFIC_SIGNS)
    rows = [f"{file.name};8;8;0;0;8;8;{n}" for n, file in enumerate(files)]
    header = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
    write_text(folder / "GT-final_test.csv", [header, *rows])


def write_pets(root, write_images):
    folder = root / "oxford-iiit-pet"
    pets = ("Abyssinian", "american_bulldog", "Bombay")
    for split, listing in (("train", "trainval"), ("test", "test")):
        files = write_images(f"{folder}/images/{{name}}_{{split}}{{n}}.jpg", split, pets)
        rows = [f"{file.stem} {n % 3 + 1} 1 1" for n, file in enumerate(files)]
        write_text(folder / "annotations" / f"{listing}.txt", rows)


def write_cars(root, write_images):
    folder = root / "stanford_cars"
    (folder / "devkit").mkdir(parents=True)
    savemat(folder / "devkit" / "cars_meta.mat", {"class_names": np.array(NAMES, object)})
    listings = {"train": "devkit/cars_train_annos", "test": "cars_test_annos_withlabels"}
    for split, listing in listings.items():
        files = write_images(f"{folder}/cars_{{split}}/{{n:05d}}.jpg", split, NAMES)
        rows = [(n % 3 + 1, file.name) for n, file in enumerate(files)]
        table = np.array(rows, dtype=[("class", object), ("fname", object)])
        savemat(folder / f"{listing}.mat", {"annotations": table})


def write_sun(root, write_images):
    places = ("a/abbey", "a/apartment_building/outdoor", "b/bar")
    write_images("SUN397/{name}/sun_{n}.jpg", "train", places)
    write_text(root / "SUN397" / "ClassName.txt", [f"/{place}" for place in places])


def same(prefix, splits=ALL_THREE):
    return {split: f"{prefix}/{split}" for split in splits}


AIRCRAFT = ("707-320", "F/A-18", "Cessna 172")
PETS = ("Abyssinian", "American Bulldog", "Bombay")
SUN = ("abbey", "apartment_building/outdoor", "bar")
WORDNET = ("n01440764", "n02102040", "n02979186")
IMAGENETTE = ("tench", "English springer", "cassette player")
COUNTRIES = {**same("country211"), "val": "country211/valid"}
SENTENCES = {**same("rendered-sst2"), "val": "rendered-sst2/valid"}
SENTIMENTS = ("negative", "positive")
SETS = {
    "Caltech101": (write_caltech101, NAMES, ("train",)),
    "Country211": (write_folders(COUNTRIES, ".jpg"), NAMES, ALL_THREE),
    "DTD": (write_dtd, NAMES, ALL_THREE),
    "EuroSAT": (write_folders({"train": "eurosat/2750"}, ".jpg"), NAMES, ("train",)),
    "FGVCAircraft": (write_aircraft, AIRCRAFT, ALL_THREE),
    "Flowers102": (write_flowers, datasets.Flowers102.classes, ALL_THREE),
    "Food101": (write_food, NAMES, TRAIN_TEST),
    "GTSRB": (write_gtsrb, TRAFFIC_SIGNS, TRAIN_TEST),
    **{
        f"Imagenette{size}": (
            write_folders(same(f"imagenette2{size[:4]}", ("train", "val")), ".JPEG", WORDNET),
            IMAGENETTE,
            ("train", "val"),
        )
        for size in ("", "-160px", "-320px")
    },
    "OxfordIIITPet": (write_pets, PETS, TRAIN_TEST),
    "RenderedSST2": (write_folders(SENTENCES, ".png", SENTIMENTS), SENTIMENTS, ALL_THREE),
    "SUN397": (write_sun, SUN, ("train",)),
    "StanfordCars": (write_cars, NAMES, TRAIN_TEST),
}


@pytest.fixture
def open_set(tmp_path, write_images, monkeypatch):
    """Write a dataset and open it."""
    files = {key: (name, None) for key, (name, _) in datasets.Flowers102._file_dict.items()}
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)  # not the published files

    def open_it(name):
        SETS[name][0](tmp_path, write_images)
        return TorchvisionDataModule(name, tmp_path, download=False, image_size=8)

    return open_it


@pytest.mark.parametrize("name", SETS)
def test_set_has_the_published_classes_splits_and_pixels(name, open_set, check_dataset):
    _, classes, splits = SETS[name]
    data = open_set(name)
    check_dataset(data, classes, splits)
    assert not any(check.fault for check in data.load()["train"].checks("checking"))


def test_names_are_sorted_paths_below_the_root(open_set, tmp_path):
    names = open_set("SUN397").load()["train"].names
    assert names == sorted(names)
    assert names[0] == "SUN397/a/abbey/sun_0.jpg"


def test_frames_of_one_traffic_sign_are_a_group(open_set):
    groups = open_set("GTSRB").load()["train"].groups
    assert groups[:2] == ["gtsrb/GTSRB/Training/00000/00000"] * 2
    assert len(set(groups)) == 43


def test_splits_with_different_classes_are_refused(open_set, tmp_path):
    data = open_set("Country211")
    (tmp_path / "country211" / "valid" / "bee").rename(tmp_path / "country211" / "valid" / "owl")
    with pytest.raises(ValueError, match=r"country211 is incomplete.* of val .*differ in bee, owl"):
        _ = data.class_names
