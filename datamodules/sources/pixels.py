"""Images whose pixels are numbers in a CSV file, parsed once."""

import hashlib
import warnings
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.sources.cache import FOLDER, memory_mapped
from datamodules.sources.missing import MissingDataError
from datamodules.tables.table import find_column, read_table, refuse

PIXELS = ("feature", "pixels")  # S3's name for the column, and Kaggle's
LABELS = ("label", "emotion")
SPLITS = ("split", "Usage")


def read_pixels(file: Path) -> tuple[np.ndarray, Any]:
    """The images of a CSV file, and what else stands in its rows.

    The file is parsed once: images and rows are then kept in `FOLDER`, under a name made of the
    file's content, and mapped into memory.

    Args:
        file: A CSV file, compressed or not, with a column of pixels, `feature` or `pixels`: values
            from 0 to 255 separated by blanks, row by row of a square image; for colour the three
            values of a pixel stand together. There may be a column `label` or `emotion`, and one
            `split` or `Usage`.

    Returns:
        Images, uint8 (N, H, H, C), and their rows with label, split, file and line; what the file
        lacks is empty.

    Raises:
        ValueError: If the pixels are missing, too few, too many, or out of range.
    """
    if not file.is_file():
        raise MissingDataError(f"There is no file {file}.")
    with file.open("rb") as stream:
        key = hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    rows_file = FOLDER / f"{key}.csv"

    def write(target: Path) -> None:
        table = read_table(file)
        images = _parse(table.assign(pixels=_column(table, PIXELS, required=True)))
        rows = {"label": _column(table, LABELS), "split": _column(table, SPLITS)}
        pd.DataFrame({**rows, "@line": table["@line"]}).to_csv(rows_file, index=False)
        np.save(target, images)

    if not rows_file.is_file():  # deleted by hand
        rows_file.with_suffix(".npy").unlink(missing_ok=True)
    images = memory_mapped(key, write)
    rows = pd.read_csv(rows_file, dtype={"label": str, "split": str}, keep_default_na=False)
    return images, rows.assign(**{"@file": str(file)})


def _column(table: Any, names: tuple[str, ...], required: bool = False) -> Any:
    """The column that has one of the names; an empty one if it need not be there."""
    for name in names:
        if (column := find_column(table, None, name, name)) is not None:
            return column.str.strip()
    if required:
        columns = ", ".join(str(column) for column in table.columns[:-2])
        raise ValueError(
            f"{table['@file'].iloc[0]} has no column {' or '.join(names)}; it has {columns}."
        )
    return ""


def _parse(rows: Any) -> np.ndarray:
    """Images of the rows."""
    size, num_channels = _shape(rows)
    images = np.zeros((len(rows), size * size * num_channels), np.uint8)
    wrong, out_of_range = np.zeros((2, len(rows)), bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what is no number ends a row with a warning
        for index, text in enumerate(rows["pixels"]):
            try:
                numbers = np.fromstring(text, np.int64, sep=" ")
            except (ValueError, DeprecationWarning):
                numbers = np.empty(0)
            wrong[index] = len(numbers) != images.shape[1]
            out_of_range[index] = bool(((numbers < 0) | (numbers > 255)).any())
            if not (wrong[index] or out_of_range[index]):
                images[index] = numbers
    shown = rows.assign(pixels=[f"{text[:20]}…" for text in rows["pixels"]])
    expected = f"{size} x {size} pixels of {num_channels} numbers"
    refuse(shown, wrong, f"is not an image of {expected}", "pixels")
    refuse(shown, out_of_range, "has a pixel that is not in 0 to 255", "pixels")
    return images.reshape(len(rows), size, size, num_channels)


def _shape(rows: Any) -> tuple[int, int]:
    """Side and channels of the images, from the first row."""
    count = len(rows["pixels"].iloc[0].split())
    for num_channels in (1, 3):  # no number is both a square and three times a square
        size = isqrt(count // num_channels)
        if count and size * size * num_channels == count:
            return size, num_channels
    raise ValueError(
        f"{rows['@file'].iloc[0]}, line {rows['@line'].iloc[0]} has {count} pixels, which make no "
        "square image, neither grey nor of three colours."
    )
