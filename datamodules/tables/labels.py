"""From the labels in a table to class indices."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from datamodules.complaints import Complain, raise_error
from datamodules.names import in_order
from datamodules.sources.source import UNLABELLED
from datamodules.tables.table import refuse


def classes_of(labels: Iterable[str]) -> list[str]:
    """The different labels without empty ones, in alphabetical or numerical order."""
    return in_order(set(labels) - {""})


def with_known_labels(
    rows: Any, class_names: Sequence[str], complain: Complain = raise_error
) -> Any:
    """Rows whose label is the name or the index of a class, or empty.

    Args:
        rows: Rows with `label`, `@file` and `@line`.
        class_names: Names of the classes.
        complain: Called with the other rows.

    Raises:
        ValueError: If a label is unknown and `complain` raises.
    """
    known = f"is not a class: expected {', '.join(class_names)}, or 0 to {len(class_names) - 1}"
    unknown = ~rows["label"].isin(_numbers(rows["label"], class_names).keys())
    return refuse(rows, unknown, known, "label", "unknown label", complain)


def class_indices(rows: Any, class_names: Sequence[str]) -> np.ndarray:
    """Class index of each row, (N,) int64; `UNLABELLED` where the label is empty.

    Args:
        rows: See `with_known_labels`.
        class_names: Names of the classes.

    Raises:
        ValueError: If a label is neither the name nor the index of a class.
    """
    labels = with_known_labels(rows, class_names)["label"]
    return labels.map(_numbers(labels, class_names)).to_numpy(np.int64)


def _numbers(labels: Iterable[str], class_names: Sequence[str]) -> Mapping[str, int]:
    """Class index for each label: for names, if one label is a name, else for indices."""
    index = {name: number for number, name in enumerate(class_names)}
    if not set(labels) & set(class_names):
        index = {str(number): number for number in range(len(class_names))}
    return {**index, "": UNLABELLED}
