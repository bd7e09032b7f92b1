"""Pixel CSV files: images whose pixels are numbers in a row, as FER2013 is published."""

import warnings
from collections import Counter
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.complaints import Complain, raise_error
from datamodules.tables.csv_text import columns_of
from datamodules.tables.table import find_column, read_table, refuse, value_columns
from datamodules.tables.table_kinds import CSV, kind_of

PIXELS = ("feature", "pixels")  # names of the column; the second is Kaggle's
LABELS = ("label", "emotion")
SPLITS = ("split", "Usage")
USAGES = {  # possible values of the column `split`; Kaggle's names last
    **{split: split for split in ("train", "val", "test", "predict")},
    **{"": "train", "Training": "train", "PublicTest": "test", "PrivateTest": "test"},
}


def has_pixels(file: Path) -> bool:
    """Whether the header of a CSV file names a column of pixels, and none of image paths."""
    names = set(columns_of(file)) if kind_of(file) == CSV else set()
    return bool(names & set(PIXELS)) and "image" not in names


def parse_pixels(file: Path, complain: Complain = raise_error) -> tuple[np.ndarray, Any]:
    """The images of a CSV file, and the other values of their rows.

    Args:
        file: A CSV file, compressed or not, with a column of pixels, `feature` or `pixels`: values
            from 0 to 255 separated by blanks, row by row of a square image; for colour images the
            three values of a pixel stand together. It may have a column `label` or `emotion`, and
            one called `split` or `Usage`.
        complain: Called with rows that are not an image; they are then left out.

    Returns:
        Images, uint8 (N, H, H, C), and one row for each with `image` (file and line, such as
        `faces.csv:2`), `label` and `split` (empty if the file lacks them), `@file` and `@line`.

    Raises:
        ValueError: If there is no column of pixels, no row with a square image, or `complain`
            raises.
    """
    table = read_table(file)
    names = [f"{file.name}:{line}" for line in table["@line"]]
    columns = {"label": _column(table, LABELS), "split": _column(table, SPLITS)}
    rows = table[["@file", "@line"]].assign(image=names, **columns)
    pixels = _column(table, PIXELS, required=True)
    rows = rows.assign(pixels=[f"{text[:20]}…" for text in pixels])  # as messages show them
    images, rows = _images(rows, pixels, complain)
    return images, rows.drop(columns="pixels").reset_index(drop=True)


def with_splits(
    rows: Any, split: str, usages: Mapping[str, str], complain: Complain = raise_error
) -> Any:
    """Rows with the name of their split in the column `split`, and with a label.

    Args:
        rows: See `parse_pixels`.
        split: Split of all rows; empty if the column `split` names it.
        usages: Split for each value of that column.
        complain: Called with rows of an unknown split, and with those that lack a label.

    Raises:
        ValueError: If there are such rows and `complain` raises.
    """
    if not split:
        values = ", ".join(name for name in usages if name)
        unknown = ~rows["split"].isin(usages.keys())
        known = f"is not a split: expected one of {values}"
        rows = refuse(rows, unknown, known, "split", "unknown split", complain)
    rows = rows.assign(split=split or rows["split"].map(usages))
    unlabelled = (rows["label"] == "") & (rows["split"] != "predict")
    missing = "has no label; only images to predict need none"
    return refuse(rows, unlabelled, missing, "image", "missing label", complain)


def _column(table: Any, names: tuple[str, ...], required: bool = False) -> Any:
    """The column that has one of the names; empty values if an optional one is missing."""
    for name in names:
        if (column := find_column(table, None, name, name)) is not None:
            return column.str.strip()
    if required:
        columns = ", ".join(str(column) for column in value_columns(table))
        raise ValueError(
            f"{table['@file'].iloc[0]} has no column {' or '.join(names)}; it has {columns}."
        )
    return ""


def _images(rows: Any, texts: Any, complain: Complain) -> tuple[np.ndarray, Any]:
    """The images of all rows that hold one, (N, H, H, C), and these rows."""
    file = rows["@file"].iloc[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns of what is not a number, and stops there
        parsed = [_numbers(text) for text in texts]
    failed = [numbers is None for numbers in parsed]
    text = "holds something else than whole numbers"
    rows = refuse(rows, failed, text, "pixels", "not numbers", complain)
    if not len(rows):
        raise ValueError(f"{file} has no row of numbers.")
    counts = rows.index.map(lambda row: len(parsed[row]))
    size, num_channels = _shape(rows, counts)
    text = f"is not an image of {size} x {size} pixels of {num_channels} numbers"
    wrong = counts != size * size * num_channels
    rows = refuse(rows, wrong, text, "pixels", "wrong number of pixels", complain)
    beyond = [parsed[row].dtype != np.uint8 for row in rows.index]
    text = "has a pixel that is not in 0 to 255"
    rows = refuse(rows, beyond, text, "pixels", "value out of range", complain)
    if not len(rows):
        raise ValueError(f"{file} has no row with an image.")
    images = np.stack([parsed[row] for row in rows.index])
    return images.reshape(len(rows), size, size, num_channels), rows


def _numbers(text: str) -> Any:
    """The numbers of a text, as uint8 if all of them are in range; None if it holds others."""
    try:
        numbers = np.fromstring(text, np.int64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    in_range = not ((numbers < 0) | (numbers > 255)).any()
    return numbers.astype(np.uint8) if in_range else numbers


def _shape(rows: Any, counts: Any) -> tuple[int, int]:
    """Side and channels of the images, from the number of pixels that most rows have."""
    count, _ = Counter(counts).most_common(1)[0]
    for num_channels in (1, 3):  # no number is both a square and three times a square
        size = isqrt(count // num_channels)
        if count and size * size * num_channels == count:
            return size, num_channels
    first = rows[counts == count].iloc[0]
    raise ValueError(
        f"{first['@file']}, line {first['@line']} has {count} pixels, which do not make a square "
        "image, neither grey nor of three colours."
    )
