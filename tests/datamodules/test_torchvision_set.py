import pickle
from typing import get_args

import cv2
import numpy as np
import pytest
from torchvision import datasets

from datamodules import TorchvisionDataModule
from datamodules.known_sets.layouts import LAYOUTS
from datamodules.torchvision_set import Name, with_channels

COLOR = (200, 100, 50)
GREY = 124  # 0.299 * 200 + 0.587 * 100 + 0.114 * 50, rounded


@pytest.fixture
def open_eurosat(tmp_path):
    """Two classes of ten images of 64 x 64 pixels."""
    for name in ("Forest", "River"):
        folder = tmp_path / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        for index in range(10):
            image = np.full((64, 64, 3), COLOR[::-1], np.uint8)
            cv2.imwrite(str(folder / f"{name}_{index}.png"), image)

    def open_it(**options):
        return TorchvisionDataModule("EuroSAT", tmp_path, download=False, num_workers=0, **options)

    return open_it


@pytest.fixture
def open_mnist(tmp_path):
    """Two images of each digit per split, all of one grey value."""
    for prefix in ("train", "t10k"):
        for kind, array in (
            ("images-idx3", np.full((20, 28, 28), GREY, np.uint8)),
            ("labels-idx1", np.arange(20, dtype=np.uint8) % 10),
        ):
            file = tmp_path / "MNIST" / "raw" / f"{prefix}-{kind}-ubyte"
            file.parent.mkdir(parents=True, exist_ok=True)
            header = np.array((8 * 256 + array.ndim, *array.shape), ">i4")
            file.write_bytes(header.tobytes() + array.tobytes())

    def open_it(**options):
        return TorchvisionDataModule("MNIST", tmp_path, download=False, num_workers=0, **options)

    return open_it


def test_command_line_offers_every_dataset():
    assert get_args(Name) == tuple(LAYOUTS)


def test_splits_that_were_not_published_are_split_off(open_eurosat):
    sizes = {split: len(source) for split, source in open_eurosat().sources.items()}
    assert sizes == {"train": 14, "val": 2, "test": 4}


def test_published_test_images_stay_test_images(open_mnist):
    sources = open_mnist().sources
    assert {split: len(source) for split, source in sources.items()} == {
        "train": 10,
        "val": 10,
        "test": 20,
    }
    assert sources["test"].names[:2] == ["test/000000", "test/000001"]


def test_size_and_colours_are_those_of_the_dataset_by_default(open_eurosat, open_mnist):
    assert open_eurosat().sources["val"].read(0).shape == (64, 64, 3)
    assert open_mnist().sources["val"].read(0).shape == (28, 28, 1)
    grey = open_eurosat(image_size=8, num_channels=1).sources["val"].read(0)
    assert grey.shape == (8, 8, 1)
    assert (grey == GREY).all()
    coloured = open_mnist(image_size=40, num_channels=3).sources["val"].read(0)
    assert coloured.shape == (40, 40, 3)
    assert (coloured == GREY).all()


def test_arrays_become_grey_by_their_luminance():
    images = np.full((2, 4, 4, 3), COLOR, np.uint8)
    assert (with_channels(images, 1) == GREY).all()
    assert with_channels(images, 1).shape == (2, 4, 4, 1)


def test_batches_have_the_given_image_size(open_mnist):
    images, labels, _ = next(iter(open_mnist(image_size=32, batch_size=4).train_dataloader()))
    assert images.shape == (4, 1, 32, 32)
    assert labels.shape == (4,)


def test_datamodule_can_be_pickled(open_mnist):
    data = open_mnist()
    assert data.num_classes == 10
    assert pickle.loads(pickle.dumps(data)).class_names == data.class_names


def test_digits_are_not_mirrored_by_default(open_eurosat, open_mnist):
    def transforms(data):
        return {type(step).__name__ for step in data.augmentation.pipeline.transforms}

    assert "HorizontalFlip" not in transforms(open_mnist())
    assert "HorizontalFlip" in transforms(open_eurosat())


@pytest.mark.parametrize(
    ("name", "place"), [("USPS", "usps.bz2"), ("Flowers102", "flowers-102"), ("MNIST", "MNIST/raw")]
)
def test_error_about_a_missing_dataset_names_its_place_and_the_option(name, place, tmp_path):
    data = TorchvisionDataModule(name, tmp_path, download=False)
    expected = rf"{name} is missing .* in {tmp_path}: .*{tmp_path / place}; .*--data.download true"
    with pytest.raises(ValueError, match=expected):
        _ = data.num_classes


def test_dataset_that_is_no_longer_published_is_not_downloaded(tmp_path):
    data = TorchvisionDataModule("StanfordCars", tmp_path)
    with pytest.raises(ValueError, match=r"stanford_cars; it is no longer available for download"):
        _ = data.num_classes


def test_error_about_an_incomplete_dataset_asks_to_delete_it(tmp_path):
    (tmp_path / "dtd" / "dtd").mkdir(parents=True)
    data = TorchvisionDataModule("DTD", tmp_path)
    with pytest.raises(ValueError, match=r"dtd/dtd is incomplete: .*train1\.txt.* Delete it"):
        _ = data.num_classes


def test_error_without_network_names_the_file_and_its_place(tmp_path, monkeypatch):
    url = "http://127.0.0.1:1/cifar.tar.gz"  # where no server listens
    monkeypatch.setattr(datasets.CIFAR10, "url", url)
    expected = rf"CIFAR10 .*{url}.*no network.*save it as {tmp_path}/cifar-10-python\.tar\.gz"
    with pytest.raises(ValueError, match=expected):
        _ = TorchvisionDataModule("CIFAR10", tmp_path).class_names
