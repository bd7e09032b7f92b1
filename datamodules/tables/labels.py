"""From the labels in a table to class indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from datamodules.sources.source import UNLABELLED
from datamodules.tables.table import refuse


def classes_of(labels: Any) -> list[str]:
    """The different labels of a column, without empty ones; alphabetical, or by their number."""
    names = set(labels) - {""}
    return sorted(names, key=int if all(name.isdecimal() for name in names) else None)


def class_indices(rows: Any, class_names: Sequence[str]) -> np.ndarray:
    """Class index of each row, (N,) int64; `UNLABELLED` where the label is empty.

    Args:
        rows: Rows with `label`, `file` and `line`; labels are names of classes or their indices.
        class_names: Names of the classes.

    Raises:
        ValueError: If a label is neither.
    """
    index = {name: number for number, name in enumerate(class_names)}
    labels = rows["label"]
    if not set(labels) & set(class_names):  # then they have to be indices
        index = {str(number): number for number in range(len(class_names))}
    index[""] = UNLABELLED
    known = f"is no class: expected {', '.join(class_names)}, or 0 to {len(class_names) - 1}"
    refuse(rows, ~labels.isin(index.keys()), known, "label")
    return labels.map(index).to_numpy(np.int64)
