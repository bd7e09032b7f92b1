"""Originals: the images that a command reads, from class folders or a manifest; without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.class_folders import read_class_folders
from datamodules.names import in_order
from datamodules.sources.files import FileReader
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.selection import check_known
from datamodules.tables.located import located
from datamodules.tables.manifest import read_rows
from datamodules.tables.manifest_file import Layout
from datamodules.tables.table_files import manifest_files


@dataclass(frozen=True)
class Originals:
    """The images of a dataset before they are prepared.

    Attributes:
        root: Folder that their names are relative to.
        class_names: The classes, in alphabetical order.
        sources: The `train` images, and those of the other splits that the dataset has.
    """

    root: Path
    class_names: tuple[str, ...]
    sources: dict[str, ImageSource]


def from_folders(root: Path, predict: Path | None = None, exclude: Sequence[str] = ()) -> Originals:
    """Images in one folder per class, below the root itself or below its folders of splits.

    Args:
        root: The folder.
        predict: Folder below the root of images without a label; None for `root/predict`.
        exclude: Classes to leave out of every split.

    Raises:
        ValueError: If a folder or a class is missing, or `predict` is outside the root.
    """
    if predict is not None and not predict.is_relative_to(root):
        raise ValueError(
            f"{predict} is outside {root}, which the paths in predict.csv are relative to; "
            "expected a folder below it."
        )
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}.")
    found = read_class_folders(root, predict)
    check_known(exclude, found.class_names, "--exclude")
    classes = tuple(name for name in found.class_names if name not in exclude)
    sources = {}
    for split in found.names:
        _, names = found.names_below_root(split)
        labels = found.labels(split)
        kept = [index for index, label in enumerate(labels) if label not in exclude]
        sources[split] = _source(
            root, [names[index] for index in kept], [labels[index] for index in kept], classes
        )
    return Originals(root, classes, sources)


def from_manifest(manifest: Path, root: Path | None = None) -> Originals:
    """Images that are listed in CSV files, as `ManifestDataModule` reads them.

    Args:
        manifest: One file, or a folder with `train.csv` and perhaps others.
        root: Folder that the paths are relative to; None for the manifest's own.

    Raises:
        ValueError: If a column, a label or an image is missing, or a path leads out of the root.
    """
    files = manifest_files(manifest)
    root = root or next(iter(files.values())).parent
    rows = read_rows(files, Layout())
    hint = "name the folder of the images with --root"
    if "@row" in rows:
        raise ValueError(f"{manifest} holds its images; copies are made of image files.")
    rows = located(rows, root, hint)
    classes = tuple(in_order(rows["label"][rows["split"] != "predict"]))
    if unfit := [name for name in classes if name in (".", "..") or "/" in name or "\\" in name]:
        raise ValueError(f"A class becomes a folder, which cannot be named {', '.join(unfit)}.")
    sources = {}
    for split, part in rows.groupby("split", sort=False):
        labels = [""] * len(part) if split == "predict" else part["label"].tolist()
        groups = part["group"].tolist() if "group" in part else ()
        sources[str(split)] = _source(root, part["image"].tolist(), labels, classes, groups)
    return Originals(root, classes, sources)


def _source(
    root: Path,
    names: Sequence[str],
    labels: Sequence[str],
    classes: Sequence[str],
    groups: Sequence[str] = (),
) -> ImageSource:
    index = {name: label for label, name in enumerate(classes)} | {"": UNLABELLED}
    reader = FileReader(root, names, image_size=1, num_channels=3)  # only names are used
    indices = np.array([index[label] for label in labels], np.int64)
    return ImageSource(reader, indices, names, groups)
