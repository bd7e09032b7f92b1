"""CSV files, written atomically, and a table of image counts to print."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from datamodules.atomic_files import atomic_write
from datamodules.sources.source import ImageSource

MOST_CLASSES = 100  # that are printed


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
    width = max(len("… 99,999 more classes"), *map(len, class_names[:MOST_CLASSES]))
    splits = [split for split in ("train", "val", "test", "predict") if split in sources]
    lines = [("class", *splits)]
    labels = [sources[split].labels for split in splits]
    counts = [np.bincount(each[each >= 0], minlength=len(class_names)) for each in labels]
    for name, *of_class in list(zip(class_names, *counts, strict=True))[:MOST_CLASSES]:
        lines.append((name, *(f"{count:,}" for count in of_class)))
    if len(class_names) > MOST_CLASSES:
        lines.append((f"… {len(class_names) - MOST_CLASSES:,} more classes", *("" for _ in splits)))
    lines.append(("total", *(f"{len(sources[split]):,}" for split in splits)))
    return "\n".join(
        f"{line[0]:{width}}" + "".join(f"{cell:>10}" for cell in line[1:]) for line in lines
    )
