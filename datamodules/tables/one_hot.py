"""Labels in one column for each class, 1 for the class of the image and 0 for the others."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, Complaint
from datamodules.tables.table import items_of, place_of

VALUES = {
    **dict.fromkeys(("0", "0.0", "0,0", "False", "false", ""), 0.0),
    **dict.fromkeys(("1", "1.0", "1,0", "True", "true"), 1.0),
}
TOLERANCE = 0.01  # of the sum of probabilities that are rounded


def one_hot_columns(table: Any) -> list[Any]:
    """The columns of 0 and 1, or of probabilities, among columns that hold no label otherwise.

    Every row has a 1 in them, or a sum of 1. Several labels and probabilities are returned too, so
    that `labels_of` can name them. Empty if there are none.

    Args:
        table: The columns in question.
    """
    table = table[(table != "").any(axis=1)]
    numbers = {name: _numbers(table[name]) for name in table.columns}
    numbers = {name: values for name, values in numbers.items() if values is not None}
    binary = {name: values for name, values in numbers.items() if set(values) <= {0.0, 1.0}}
    if len(binary) > 1 and pd.DataFrame(binary).sum(axis=1).ge(1).all():
        return list(binary)
    shares = [name for name, values in numbers.items() if values.between(0, 1).all()]
    sums = pd.DataFrame(numbers)[shares].sum(axis=1)
    return shares if len(shares) > 1 and sums.sub(1).abs().lt(TOLERANCE).all() else []


def about_one_hot(table: Any) -> str:
    """A sentence about columns of 0 and 1 that are no labels, as rows have none; or nothing."""
    numbers = {name: _numbers(table[name]) for name in table.columns}
    binary = {n: v for n, v in numbers.items() if v is not None and set(v) == {0.0, 1.0}}
    if len(binary) < 2:
        return ""
    rows: Any = pd.DataFrame(binary)
    without = int((rows.sum(axis=1) == 0).sum())
    return (
        f" {without:,} of {len(table):,} rows have no 1 in the columns {_listed(list(binary))}; if "
        "these are the classes, delete such rows, and name the columns with --data.columns.label "
        f"'[{', '.join(map(str, binary))}]'."
    )


def labels_of(table: Any, columns: Sequence[Any], complain: Complain) -> Any:
    """The label of each row, empty where no column has a 1.

    Args:
        table: See `read_table`.
        columns: Names of the columns; they are the classes.
        complain: Called with rows of several labels, whose labels are then empty.

    Raises:
        ValueError: If the values are neither 0 nor 1, or several are 1 and `complain` raises.
    """
    values: Any = pd.DataFrame({name: _numbers(table[name]) for name in columns})
    file, listed = table["@file"].iloc[0], _listed(columns)
    if unlike := [name for name in columns if name not in values or values[name].isna().any()]:
        raise ValueError(
            f"{file}: the column {unlike[0]!r} holds something else than 0 and 1; "
            "--data.columns.label names one column of labels, or one column of 0 and 1 per class."
        )
    if not values.isin([0.0, 1.0]).all(axis=None):
        raise ValueError(
            f"{file}: the columns {listed} hold probabilities, not 0 and 1: soft labels are not "
            "supported. Add a column label with the most probable class."
        )
    several = values.sum(axis=1) > 1
    if several.any():
        bad = table[several]
        text = (
            f"{file}: {len(bad)} of {len(table)} rows have a 1 in several of the columns {listed}, "
            f"such as {place_of(bad.iloc[0])}: several labels per image are not supported. If only "
            "some of these columns are classes, name them: --data.columns.label '[cat, dog]'."
        )
        named = bad.assign(image=bad[value_column(table, columns)])
        complain(Complaint("several labels", items_of(named), text))
    labels = values.idxmax(axis=1).astype(str)
    return labels.where(values.sum(axis=1) == 1, "")


def value_column(table: Any, columns: Sequence[Any]) -> Any:
    """The first column that is none of the classes, which names the image."""
    return next((name for name in table.columns if name not in columns), columns[0])


def _numbers(column: Any) -> Any:
    """The numbers of a column; None if it holds something else."""
    stripped = column.str.strip()
    if set(stripped) <= VALUES.keys():
        return stripped.map(VALUES)
    numbers: Any = pd.to_numeric(stripped.str.replace(",", "."), errors="coerce")
    return None if numbers.isna().any() else numbers


def _listed(columns: Sequence[Any]) -> str:
    more = f" and {len(columns) - 4} more" if len(columns) > 5 else ""
    return ", ".join(map(str, columns[: 4 if more else 5])) + more
