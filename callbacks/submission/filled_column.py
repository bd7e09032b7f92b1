"""Filled column: the one of several that a submission is to fill in."""

import re
from collections.abc import Sequence

import pandas as pd

from callbacks.submission.image_ids import some

ANSWERS = {"answer", "category", "class", "label", "predicted", "prediction", "target"}
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def only_column(table: pd.DataFrame, rest: Sequence[int], what: str) -> int:
    """The column that is filled in, of those that are neither ids nor classes.

    Raises:
        ValueError: If it may be several.
    """
    columns = [str(table.columns[column]) for column in rest]
    if what == "answer":
        fitting = [c for c, n in zip(rest, columns, strict=True) if n.lower() in ANSWERS]
    else:
        fitting = [
            column
            for column in rest
            if all(NUMBER.fullmatch(cell) for cell in table.iloc[:, column])
        ]
    if len(rest) == 1 or len(fitting) == 1:
        return (fitting or list(rest))[0]
    raise ValueError(f"the {what} may be in the columns {some(columns)}; leave only one of them.")


def kept(columns: Sequence[str]) -> str:
    """End of a description that names the columns that stay as they are."""
    return f"; kept as they are: {', '.join(columns)}" if columns else ""
