"""Datasets that are arrays, each in its published format."""

import bz2
import pickle
import string

import numpy as np
import pytest
from scipy.io import savemat
from torchvision import datasets

from datamodules import TorchvisionDataModule

NAMES = ("ant", "bee", "cat")
DIGITS = tuple(string.digits)
BALANCED = tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")


def write_cifar(root, coded_images, folder, files, key, meta):
    (root / folder).mkdir()
    for split, parts in files.items():
        images, labels = coded_images(split, 3, 32)
        rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        for number, file in enumerate(parts):
            share = slice(number, None, len(parts))
            batch = {"data": rows[share], key: labels[share].tolist()}
            (root / folder / file).write_bytes(pickle.dumps(batch))
    (root / folder / meta[0]).write_bytes(pickle.dumps({meta[1]: list(NAMES)}))


def write_cifar10(root, coded_images):
    files = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}
    meta = ("batches.meta", "label_names")
    write_cifar(root, coded_images, "cifar-10-batches-py", files, "labels", meta)


def write_cifar100(root, coded_images):
    files, meta = {"train": ["train"], "test": ["test"]}, ("meta", "fine_label_names")
    write_cifar(root, coded_images, "cifar-100-python", files, "fine_labels", meta)


def write_idx(file, array, kind=8):
    file.parent.mkdir(parents=True, exist_ok=True)
    header = np.array((kind * 256 + array.ndim, *array.shape), ">i4")
    file.write_bytes(header.tobytes() + array.tobytes())


def write_mnist(folder):
    def write(root, coded_images):
        for split, prefix in (("train", "train"), ("test", "t10k")):
            images, labels = coded_images(split, 10, 28, 1)
            write_idx(root / folder / "raw" / f"{prefix}-images-idx3-ubyte", images[..., 0])
            write_idx(root / folder / "raw" / f"{prefix}-labels-idx1-ubyte", labels)

    return write


def write_emnist(variant, num_classes, first=0):
    def write(root, coded_images):
        for split in ("train", "test"):
            images, labels = coded_images(split, num_classes, 28, 1)
            stem = root / "EMNIST" / "raw" / f"emnist-{variant}-{split}"
            transposed = images[..., 0].transpose(0, 2, 1)
            write_idx(stem.with_name(f"{stem.name}-images-idx3-ubyte"), transposed)
            write_idx(stem.with_name(f"{stem.name}-labels-idx1-ubyte"), labels + np.uint8(first))

    return write


def write_qmnist(root, coded_images):
    for split in ("train", "test"):
        images, labels = coded_images(split, 10, 28, 1)
        rows = np.full((len(labels), 8), 7, ">i4")  # label, writer, ...
        rows[:, 0] = labels
        write_idx(root / f"QMNIST/raw/qmnist-{split}-images-idx3-ubyte", images[..., 0])
        write_idx(root / f"QMNIST/raw/qmnist-{split}-labels-idx2-int", rows, kind=12)


def write_usps(root, coded_images):
    for split, file in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        lines = []
        for image, label in zip(*coded_images(split, 10, 16, 1), strict=True):
            values = enumerate(image.ravel() / 127.5 - 1, start=1)
            lines.append(f"{label + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in values))
        (root / file).write_bytes(bz2.compress("\n".join(lines).encode()))


def write_svhn(root, coded_images):
    for split in ("train", "test"):
        images, labels = coded_images(split, 10, 32)
        numbers = np.where(labels == 0, 10, labels)[:, None]
        savemat(root / f"{split}_32x32.mat", {"X": images.transpose(1, 2, 3, 0), "y": numbers})


def write_stl10(root, coded_images):
    folder = root / "stl10_binary"
    folder.mkdir()
    (folder / "class_names.txt").write_text("\n".join(NAMES))
    (folder / "unlabeled_X.bin").touch()
    for split in ("train", "test"):
        images, labels = coded_images(split, 3, 96)
        (folder / f"{split}_X.bin").write_bytes(images.transpose(0, 3, 2, 1).tobytes())
        (folder / f"{split}_y.bin").write_bytes((labels + np.uint8(1)).tobytes())


SETS = {
    "CIFAR10": (write_cifar10, NAMES, 32),
    "CIFAR100": (write_cifar100, NAMES, 32),
    "MNIST": (write_mnist("MNIST"), DIGITS, 28),
    "FashionMNIST": (write_mnist("FashionMNIST"), datasets.FashionMNIST.classes, 28),
    "KMNIST": (
        write_mnist("KMNIST"),
        ("o", "ki", "su", "tsu", "na", *("ha", "ma", "ya", "re", "wo")),
        28,
    ),
    "EMNIST-balanced": (write_emnist("balanced", 47), BALANCED, 28),
    "EMNIST-bymerge": (write_emnist("bymerge", 47), BALANCED, 28),
    "EMNIST-byclass": (
        write_emnist("byclass", 62),
        string.digits + string.ascii_uppercase + string.ascii_lowercase,
        28,
    ),
    "EMNIST-digits": (write_emnist("digits", 10), DIGITS, 28),
    "EMNIST-letters": (write_emnist("letters", 26, first=1), string.ascii_lowercase, 28),
    "QMNIST": (write_qmnist, DIGITS, 28),
    "USPS": (write_usps, DIGITS, 16),
    "SVHN": (write_svhn, DIGITS, 32),
    "STL10": (write_stl10, NAMES, 96),
}


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch):
    """The files of these tests are not the published ones."""
    for dataset in (datasets.CIFAR10, datasets.CIFAR100, datasets.STL10):
        for files in ("train_list", "test_list"):
            unchecked = [[name, None] for name, _ in getattr(dataset, files)]
            monkeypatch.setattr(dataset, files, unchecked)
        if dataset is not datasets.STL10:
            monkeypatch.setitem(dataset.meta, "md5", None)
    for split, (url, name, _) in list(datasets.SVHN.split_list.items()):
        monkeypatch.setitem(datasets.SVHN.split_list, split, [url, name, None])


@pytest.mark.parametrize("name", SETS)
def test_set_has_the_published_classes_splits_and_pixels(
    name, tmp_path, coded_images, check_dataset
):
    write, classes, image_size = SETS[name]
    write(tmp_path, coded_images)
    data = TorchvisionDataModule(name, tmp_path, download=False)
    assert data.image_size == image_size
    check_dataset(data, classes, ("train", "test"))
    assert set(data.sources) == {"train", "val", "test"}
