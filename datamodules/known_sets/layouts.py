"""Layouts of torchvision's datasets: where their splits, images, labels and classes are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torchvision import datasets

Splits = Mapping[str, Mapping[str, Any]]
BY_FLAG: Splits = {"train": {"train": True}, "test": {"train": False}}
TRAIN_TEST: Splits = {"train": {"split": "train"}, "test": {"split": "test"}}
ALL_THREE: Splits = {**TRAIN_TEST, "val": {"split": "val"}}
TRAINVAL_TEST: Splits = {**TRAIN_TEST, "train": {"split": "trainval"}}
TRAIN_VALID_TEST: Splits = {**TRAIN_TEST, "val": {"split": "valid"}}
UNDIVIDED: Splits = {"train": {}}

TRAFFIC_SIGNS = (  # of GTSRB, whose files have only their numbers
    *(f"speed limit {speed}" for speed in (20, 30, 50, 60, 70, 80)),
    *("end of speed limit 80", "speed limit 100", "speed limit 120", "no passing"),
    *("no passing for trucks", "right of way at the next crossing", "priority road", "yield"),
    *("stop", "no vehicles", "no trucks", "no entry", "danger", "curve to the left"),
    *("curve to the right", "double curve", "bumpy road", "slippery road", "road narrows"),
    *("road works", "traffic lights", "pedestrians", "children", "bicycles", "ice or snow"),
    *("wild animals", "end of all limits", "turn right", "turn left", "straight on"),
    *("straight on or right", "straight on or left", "keep right", "keep left", "roundabout"),
    *("end of no passing", "end of no passing for trucks"),
)


@dataclass(frozen=True)
class Layout:
    """How a dataset is stored, and how to get its images from torchvision's class.

    Attributes:
        dataset: torchvision's class.
        place: The file or folder that it expects below the root.
        image_size: Side of its images in pixels, or one that suits photographs of many sizes.
        splits: Arguments of the class for each split.
        content: Returns its images, uint8 (N, H, W, 3) or (N, H, W) or paths, and its labels, (N,).
        classes: Returns the names of the classes, in the order of their indices.
        num_channels: 1 for grey images, 3 for RGB.
        augmentation: A preset that does not change the class: a mirrored letter is another one.
        group_of: Returns the group of an image from its name, if several images show one object.
        downloadable: Whether the files are still published.
    """

    dataset: Callable[..., Any]
    place: str
    image_size: int
    splits: Splits
    content: Callable[[Any], tuple[Any, Any]]
    classes: Callable[[Any], Sequence[str]] = attrgetter("classes")
    num_channels: int = 3
    augmentation: str = "light"
    group_of: Callable[[str], str] | None = None
    downloadable: bool = True


def _digits(data: Any) -> Sequence[str]:
    return "0123456789"


def _channels_last(data: Any) -> tuple[Any, Any]:
    return data.data.transpose(0, 2, 3, 1), data.labels


def _pairs(attribute: str) -> Callable[[Any], tuple[Any, Any]]:
    def content(data: Any) -> tuple[Any, Any]:
        pairs = getattr(data, attribute)
        return [path for path, _ in pairs], [label for _, label in pairs]

    return content


def _sun397(data: Any) -> tuple[Any, Any]:
    # torchvision lists the files in the order of the disk.
    pairs = sorted(zip(data._image_files, data._labels, strict=True))
    return [path for path, _ in pairs], [label for _, label in pairs]


def _caltech101(data: Any) -> tuple[Any, Any]:
    folders = [f"{data.root}/101_ObjectCategories/{data.categories[label]}" for label in data.y]
    numbered = zip(folders, data.index, strict=True)
    return [f"{folder}/image_{number:04d}.jpg" for folder, number in numbered], data.y


def _emnist(variant: str) -> Layout:
    first = 1 if variant == "letters" else 0  # letters are numbered from one
    return Layout(
        datasets.EMNIST,
        "EMNIST/raw",
        28,
        {name: {**how, "split": variant} for name, how in BY_FLAG.items()},
        # In the files, rows and columns of the scans are exchanged.
        lambda data: (data.data.transpose(1, 2), data.targets - first),
        lambda data: data.classes[first:],
        *GLYPHS,
    )


def _imagenette(size: str, place: str, image_size: int) -> Layout:
    splits = {name: {"split": name, "size": size} for name in ("train", "val")}
    return Layout(
        datasets.Imagenette,
        place,
        image_size,
        splits,
        _samples,
        lambda data: [synonyms[0] for synonyms in data.classes],
    )


_arrays = attrgetter("data", "targets")
_files = attrgetter("_image_files", "_labels")
_samples, _folders = _pairs("_samples"), _pairs("samples")
GLYPHS = (1, "glyphs")  # grey, and never mirrored

LAYOUTS = {
    "CIFAR10": Layout(datasets.CIFAR10, "cifar-10-batches-py", 32, BY_FLAG, _arrays),
    "CIFAR100": Layout(datasets.CIFAR100, "cifar-100-python", 32, BY_FLAG, _arrays),
    "Caltech101": Layout(
        datasets.Caltech101, "caltech101", 224, UNDIVIDED, _caltech101, attrgetter("categories")
    ),
    "Country211": Layout(datasets.Country211, "country211", 224, TRAIN_VALID_TEST, _folders),
    "DTD": Layout(datasets.DTD, "dtd/dtd", 224, ALL_THREE, _files),
    "EMNIST-balanced": _emnist("balanced"),
    "EMNIST-byclass": _emnist("byclass"),
    "EMNIST-bymerge": _emnist("bymerge"),
    "EMNIST-digits": _emnist("digits"),
    "EMNIST-letters": _emnist("letters"),
    "EuroSAT": Layout(datasets.EuroSAT, "eurosat/2750", 64, UNDIVIDED, _folders),
    "FGVCAircraft": Layout(datasets.FGVCAircraft, "fgvc-aircraft-2013b", 224, ALL_THREE, _files),
    "FashionMNIST": Layout(
        datasets.FashionMNIST, "FashionMNIST/raw", 28, BY_FLAG, _arrays, num_channels=1
    ),
    "Flowers102": Layout(datasets.Flowers102, "flowers-102", 224, ALL_THREE, _files),
    "Food101": Layout(datasets.Food101, "food-101", 224, TRAIN_TEST, _files),
    "GTSRB": Layout(
        datasets.GTSRB,
        "gtsrb/GTSRB",
        48,
        TRAIN_TEST,
        _samples,
        lambda data: TRAFFIC_SIGNS,
        augmentation="glyphs",
        group_of=lambda name: name.rsplit("_", 1)[0],  # thirty frames of one sign
    ),
    "Imagenette": _imagenette("full", "imagenette2", 224),
    "Imagenette-160px": _imagenette("160px", "imagenette2-160", 160),
    "Imagenette-320px": _imagenette("320px", "imagenette2-320", 224),
    "KMNIST": Layout(
        datasets.KMNIST, "KMNIST/raw", 28, BY_FLAG, _arrays, attrgetter("classes"), *GLYPHS
    ),
    "MNIST": Layout(datasets.MNIST, "MNIST/raw", 28, BY_FLAG, _arrays, _digits, *GLYPHS),
    "OxfordIIITPet": Layout(
        datasets.OxfordIIITPet,
        "oxford-iiit-pet",
        224,
        TRAINVAL_TEST,
        attrgetter("_images", "_labels"),
    ),
    "QMNIST": Layout(
        datasets.QMNIST,
        "QMNIST/raw",
        28,
        BY_FLAG,
        lambda data: (data.data, data.targets[:, 0]),
        _digits,
        *GLYPHS,
    ),
    "RenderedSST2": Layout(
        datasets.RenderedSST2, "rendered-sst2", 448, ALL_THREE, _samples, augmentation="glyphs"
    ),
    "STL10": Layout(datasets.STL10, "stl10_binary", 96, TRAIN_TEST, _channels_last),
    "SUN397": Layout(datasets.SUN397, "SUN397", 224, UNDIVIDED, _sun397),
    "SVHN": Layout(
        datasets.SVHN,
        "train_32x32.mat",
        32,
        TRAIN_TEST,
        _channels_last,
        _digits,
        augmentation="glyphs",
    ),
    "StanfordCars": Layout(
        datasets.StanfordCars, "stanford_cars", 224, TRAIN_TEST, _samples, downloadable=False
    ),
    "USPS": Layout(datasets.USPS, "usps.bz2", 16, BY_FLAG, _arrays, _digits, *GLYPHS),
}
