"""CSV files, written atomically, and a table of image counts to print."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from datamodules.atomic_files import atomic_write
from datamodules.sources.source import ImageSource


def write_table(file: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file with a header."""
    with (
        atomic_write(file) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def count_table(sources: Mapping[str, ImageSource], class_names: Sequence[str]) -> str:
    """Number of images of each class in each split; images without a label count only in total."""
    width = max(len("without a label"), *map(len, class_names))
    splits = [split for split in ("train", "val", "test", "predict") if split in sources]
    lines = [("class", *splits)]
    for label, name in enumerate(class_names):
        counts = [np.count_nonzero(sources[split].labels == label) for split in splits]
        lines.append((name, *(f"{count:,}" for count in counts)))
    lines.append(("total", *(f"{len(sources[split]):,}" for split in splits)))
    return "\n".join(
        f"{line[0]:{width}}" + "".join(f"{cell:>10}" for cell in line[1:]) for line in lines
    )
