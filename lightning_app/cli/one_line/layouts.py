"""Layout of a dataset: which datamodule reads what lies at a path."""

import re
from math import isqrt
from pathlib import Path
from typing import Any

import pandas as pd
from lightning_utilities.core.rank_zero import rank_zero_info

from datamodules.sources.missing_data import MissingDataError
from datamodules.sources.remote import is_remote
from datamodules.sources.shard_index import INDEX
from datamodules.split_folders import FOLDERS
from datamodules.tables.manifest_file import Layout, read_file
from datamodules.tables.pixels import PIXELS, has_pixels
from datamodules.tables.table_files import STATE, manifest_files, only_table, split_tables
from datamodules.tables.table_kinds import check_supported
from datamodules.walk_folders import is_image

LAYOUTS = (
    "a folder with one folder per class, or with train/, val/ and test/ that have them; a CSV, "
    "JSON or Parquet file with the columns image and label, or a CSV file whose column pixels or "
    "feature holds the pixels; a folder with train.csv or another such file; a dataset saved by "
    "Hugging Face's `datasets`; or the shards of `lightning_cli prepare shard`"
)
EVERY_SPLIT = {name for names in FOLDERS.values() for name in names}


def layout_of(path: str) -> dict[str, Any]:
    """The section `data` of a configuration for the dataset at a path.

    Args:
        path: A folder, a table, or the URL of shards.

    Raises:
        MissingDataError: If nothing is there.
        ValueError: If it is an image, or a folder of CSV files has none for training.
    """
    place = Path(path)
    if is_remote(path) or (place / INDEX).is_file():
        return _section("ShardDataModule", root=path)
    if not place.exists():
        raise MissingDataError(f"There is no file or folder {path}. Expected {LAYOUTS}.")
    if is_image(place) and place.is_file():
        raise ValueError(f"{path} is an image; name the folder of all images. Expected {LAYOUTS}.")
    if not place.is_dir():
        check_supported(place)
    elif not (place / STATE).is_file() and not split_tables(place):
        return _folder_layout(place, path)
    files = manifest_files(place)
    if all(map(has_pixels, files.values())):
        return _pixel_layout(files)
    return _section("ManifestDataModule", manifest=path)


def _folder_layout(place: Path, path: str) -> dict[str, Any]:
    """Class folders, or the only table of a folder without them."""
    table = only_table(place)
    if table is None or not _is_manifest(table):
        return _section("ImageFolderDataModule", root=path)
    if _has_class_folders(place):
        rank_zero_info(
            f"{path} has class folders and the table {table.name}, which is not used. To use it, "
            f"name it: {table}."
        )
        return _section("ImageFolderDataModule", root=path)
    return _section("ManifestDataModule", manifest=str(table))


def _is_manifest(table: Path) -> bool:
    """Whether a table has columns of images and labels."""
    try:
        read_file("train", table, Layout(), lambda complaint: None)
    except ValueError:
        return False
    return True


def _has_class_folders(place: Path) -> bool:
    """Whether there are folders of splits, or two folders with images in them."""
    inner = [path for path in place.iterdir() if path.is_dir() and path.name[0] != "."]
    if any(path.name.lower() in FOLDERS["train"] for path in inner):
        train = next(path for path in inner if path.name.lower() in FOLDERS["train"])
        inner = [path for path in train.iterdir() if path.is_dir()]
    return sum(any(map(is_image, path.iterdir())) for path in inner) > 1


def name_of(path: str) -> str:
    """Name of the dataset, for its experiment: that of its folder or file.

    A folder or file that is called after a split has the name of its folder in front: its images
    are not those of `fit` with the whole folder.
    """
    place = Path(path.rstrip("/")) if is_remote(path) else Path(path).resolve()
    stem = place.name.partition(".")[0] if place.is_file() else place.name
    if stem.lower() in EVERY_SPLIT:
        stem = f"{place.parent.name}_{stem}"
    return re.sub(r"[^\w-]+", "_", stem).strip("_") or "images"


def _pixel_layout(files: dict[str, Path]) -> dict[str, Any]:
    """Files of pixels; size and channels of the images are those of the first row."""
    first = files.get("", files.get("train"))
    assert first is not None  # `manifest_files` refuses a folder without it
    row = pd.read_csv(first, nrows=1, dtype=str, encoding="utf-8-sig", skipinitialspace=True)
    column = next(name for name in row.columns if str(name).strip() in PIXELS)
    count = len(str(row[column].iloc[0]).split()) if len(row) else 0
    others = {split: str(file) for split, file in files.items() if split in ("test", "predict")}
    settings: dict[str, Any] = {"file": str(first), **others, "augmentation": "light"}
    for num_channels in (1, 3):
        size = isqrt(count // num_channels)
        if count and size * size * num_channels == count:
            settings |= {"image_size": size, "num_channels": num_channels}
    return _section("PixelCSVDataModule", **settings)


def _section(datamodule: str, **settings: Any) -> dict[str, Any]:
    return {"class_path": f"datamodules.{datamodule}", "init_args": settings}
