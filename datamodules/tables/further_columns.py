"""Further columns of a manifest: what it says of an image beside its label, split and group."""

from collections.abc import Collection
from typing import Any

import numpy as np

from datamodules.tables.table import value_columns

PREFIX = "+"  # of the names of these columns among the rows of a manifest


def further_columns(table: Any, used: Collection[Any]) -> dict[str, Any]:
    """The columns that are not used otherwise, by their names with `PREFIX`.

    Args:
        table: See `read_table`.
        used: Columns that hold something else.
    """
    taken = [*used, *table.attrs.get("images", ())]
    names = [name for name in value_columns(table) if name not in taken]
    return {f"{PREFIX}{name}": table[name].str.strip() for name in names}


def filled(rows: Any) -> Any:
    """The rows of several tables, with empty texts where one lacks a further column."""
    names = [name for name in rows if str(name).startswith(PREFIX)]
    rows[names] = rows[names].fillna("")
    return rows


def columns_of(rows: Any) -> dict[str, np.ndarray]:
    """The further columns by name, each the text of every row, (N,)."""
    names = [name for name in rows if str(name).startswith(PREFIX)]
    return {name.removeprefix(PREFIX): rows[name].to_numpy(object) for name in names}
