"""Cache of parsed pixel CSV files: images and rows are kept on disk and mapped into memory."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.atomic_files import atomic_write
from datamodules.sources.cache import FOLDER, memory_mapped
from datamodules.sources.missing_data import MissingDataError
from datamodules.tables.pixels import parse_pixels


def read_pixels(file: Path) -> tuple[np.ndarray, Any]:
    """The images and rows of a pixel CSV file, parsed once and then mapped into memory.

    They are kept in `FOLDER`, under a digest of the file's content.

    Args:
        file: See `parse_pixels`.

    Returns:
        See `parse_pixels`.

    Raises:
        ValueError: If the file is missing, or a row does not hold an image.
    """
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises for a long name
        raise MissingDataError(f"There is no file {file}.")
    with file.open("rb") as stream:
        key = hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    rows_file = FOLDER / f"{key}.csv"

    def write(target: Path) -> None:
        images, rows = parse_pixels(file)
        with atomic_write(rows_file) as unfinished:
            rows[["label", "split", "@line"]].to_csv(unfinished, index=False)
        with target.open("wb") as stream:  # given a name, NumPy would add an ending to it
            np.save(stream, images)

    if not rows_file.is_file():  # deleted by hand
        rows_file.with_suffix(".npy").unlink(missing_ok=True)
    images = memory_mapped(key, write)
    rows = pd.read_csv(rows_file, dtype={"label": str, "split": str}, keep_default_na=False)
    names = [f"{file.name}:{line}" for line in rows["@line"]]  # another file may have this content
    return images, rows.assign(**{"@file": str(file), "image": names})
