"""Data of the published systems: the settings with which a configuration reads them from a path."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_app.main import main

FACES_TESTED = 2000  # the last rows, S3's own validation set
S1_COUNTS = {"per_class": 3500, "val_per_class": 500, "test_per_class": 20}  # as published
FEW_COUNTS = {"per_class": 4, "val_per_class": 1, "test_per_class": 1}
DATA = {
    "faces": "CSV file of S3's training rows",
    "scenes": "folder of S2's scenes",
    "simpsons": "folder of S0's and S1's characters, one folder per class",
}
Settings = dict[str, Any]


def faces(file: Path, own: Settings, options: argparse.Namespace) -> Settings:
    """Test on the published validation rows, and choose the epoch by a part of the others."""
    split = {"val_last_n": "null", "val": 0.075, "test_last_n": FACES_TESTED}
    return {"data.file": file} | {f"data.split.{name}": value for name, value in split.items()}


def scenes(folder: Path, own: Settings, options: argparse.Namespace) -> Settings:
    """S2's own layout, or class folders, with the image size and augmentation of the first."""
    if not (folder / "train_data.csv").is_file():
        kept = {f"data.{name}": own[name] for name in ("image_size", "augmentation", "options")}
        return {"data": "ImageFolderDataModule", "data.root": folder} | kept
    files = {split: folder / f"{split}_data.csv" for split in ("train", "val", "test")}
    return {"data.manifest": files, "data.root": folder / "images"}


def characters(folder: Path, own: Settings, options: argparse.Namespace) -> Settings:
    """Class folders, of which parts are split off to validate and to test on."""
    return {"data.root": folder}


def balanced_characters(folder: Path, own: Settings, options: argparse.Namespace) -> Settings:
    """The same number of augmented images of each class, written once by `prepare augment`."""
    out = options.out / ("few_characters" if options.one_batch else "balanced_characters")
    if not (out / "manifest.csv").is_file():
        counts = FEW_COUNTS if options.one_batch else S1_COUNTS
        amounts = [f"--{name}={number}" for name, number in counts.items()]
        main(["prepare", "augment", str(folder), f"--out={out}", "--preset=s1", *amounts])
    return {"data.manifest": out / "manifest.csv"}


@dataclass(frozen=True)
class System:
    """A system to measure.

    Attributes:
        name: `S0` to `S3`.
        config: Name of its configuration.
        data: Name of its data, a key of `DATA`.
        settings: Makes the settings that read the data from a path, given the configuration's own
            arguments of the datamodule, and the options of the script.
    """

    name: str
    config: str
    data: str
    settings: Callable[[Path, Settings, argparse.Namespace], Settings]


SYSTEMS = [  # the fastest first
    System(name, f"{config}{recipe}", data, settings)
    for name, config, data, settings in (
        ("S3", "fer2013_dnn", "faces", faces),
        ("S3", "fer2013_cnn", "faces", faces),
        ("S2", "scenes_resnet50", "scenes", scenes),
        ("S1", "simpsons_resnext101", "simpsons", balanced_characters),
        ("S0", "simpsons_resnet152", "simpsons", characters),
    )
    for recipe in ("", "_better")
]
