"""The images that a command starts from: class folders, or a manifest; without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.listing import images_of, split_folders
from datamodules.sources.files import FileReader, outside
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.selection import check_known
from datamodules.tables.manifest import Layout, manifest_files, read_rows
from datamodules.tables.table import refuse


@dataclass(frozen=True)
class Originals:
    """Images as they are found.

    Attributes:
        root: Folder that their names are relative to.
        class_names: The classes, in alphabetical order.
        sources: The `train` images, and those of the splits that the data have.
    """

    root: Path
    class_names: tuple[str, ...]
    sources: dict[str, ImageSource]


def from_folders(root: Path, predict: Path | None = None, exclude: Sequence[str] = ()) -> Originals:
    """One folder a class, below the root itself or below its folders of splits.

    Args:
        root: The folder.
        predict: Folder below it of images without a label; None for `root/predict`.
        exclude: Classes to leave out of every split.

    Raises:
        ValueError: If a folder or a class is missing, or `predict` lies outside of the root.
    """
    if predict is not None and not predict.is_relative_to(root):
        raise ValueError(
            f"{predict} lies outside of {root}, which the paths in predict.csv are relative to; "
            "expected a folder below it."
        )
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}.")
    folders = split_folders(root, predict)
    files = images_of(root, folders)
    found = sorted({name.split("/")[0] for name in files["train"]})
    check_known(exclude, found, "--exclude")
    classes = tuple(name for name in found if name not in exclude)
    sources = {}
    for split, names in files.items():
        kept = [name for name in names if name.split("/")[0] not in exclude]
        labels = None if split == "predict" else [name.split("/")[0] for name in kept]
        if unknown := sorted(set(labels or ()) - set(classes)):
            raise ValueError(
                f"{folders[split]} has classes that {folders['train']} lacks: "
                f"{', '.join(unknown)}. Known are {', '.join(classes)}."
            )
        below_root = [(folders[split] / name).relative_to(root).as_posix() for name in kept]
        sources[split] = _source(root, below_root, labels, classes)
    return Originals(root, classes, sources)


def from_manifest(manifest: Path, root: Path | None = None) -> Originals:
    """Images that are listed in CSV files, as `ManifestDataModule` reads them.

    Args:
        manifest: One file, or a folder with `train.csv` and perhaps others.
        root: Folder that the paths are relative to; None for the manifest's own.

    Raises:
        ValueError: If a column, a label or an image is missing, or a path leaves the root.
    """
    files = manifest_files(manifest)
    root = root or next(iter(files.values())).parent
    rows = read_rows(files, Layout())
    refuse(rows, outside(root, rows["image"]), f"lies outside {root}; name it with --root")
    gone = [not (root / image).is_file() for image in rows["image"]]
    refuse(rows, gone, f"is not in {root}; name the folder of the images with --root")
    classes = tuple(sorted(set(rows["label"][rows["split"] != "predict"])))
    if unfit := [name for name in classes if name in (".", "..") or "/" in name or "\\" in name]:
        raise ValueError(f"A class becomes a folder: {', '.join(unfit)} cannot be the name of one.")
    sources = {}
    for split, part in rows.groupby("split", sort=False):
        labels = None if split == "predict" else part["label"].tolist()
        groups = part["group"].tolist() if "group" in part else ()
        sources[str(split)] = _source(root, part["image"].tolist(), labels, classes, groups)
    return Originals(root, classes, sources)


def _source(
    root: Path,
    names: Sequence[str],
    labels: Sequence[str] | None,
    classes: Sequence[str],
    groups: Sequence[str] = (),
) -> ImageSource:
    index = {name: label for label, name in enumerate(classes)}
    indices = [UNLABELLED] * len(names) if labels is None else [index[name] for name in labels]
    reader = FileReader(root, names, image_size=1, num_channels=3)  # which is never asked to read
    return ImageSource(reader, np.array(indices, np.int64), names, groups)
