"""Errors about columns that a table lacks, with what may be meant."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from datamodules.tables.name_labels import proposal
from datamodules.tables.one_hot import about_one_hot
from datamodules.tables.table import value_columns
from datamodules.tables.table_kinds import CSV, kind_of


def missing_column(table: Any, what: str, more: str = "") -> ValueError:
    """The error about a table without a column of images or labels.

    Args:
        table: See `read_table`.
        what: `image` or `label`.
        more: What else there is to say, from `about_labels`.
    """
    names = value_columns(table)
    columns = ", ".join(str(column)[:40] for column in names) or "none"
    file = table["@file"].iloc[0]
    hint = ""
    if kind_of(Path(file)) == CSV:
        hint = ", or set --data.header false if its first line is a row"
        if len(names) == 1 and " " in f"{names[0]} {table[names[0]].iloc[0]}".strip():
            hint += ", or --data.delimiter ' ' if blanks separate its values"
    nested = ", ".join(table.attrs.get("nested", ()))
    lists = f" The values of {nested} are lists, which are not read." if nested else ""
    return ValueError(
        f"{file} has no column {what!r}; it has {columns}. Name it with --data.columns.{what}"
        f"{hint}.{lists}{more}"
    )


def about_labels(table: Any, image: Any, taken: Collection[Any]) -> str:
    """What may be the labels of a table without a column of them, as a sentence; or nothing.

    Args:
        table: See `read_table`.
        image: Name of the column of images.
        taken: Names of the columns that are no labels.
    """
    others = [name for name in value_columns(table) if name not in taken]
    if found := about_one_hot(table[others]):
        return found
    proposed = proposal(table[image])
    return f" To take it from the file names: --data.columns.label 'name:…'; {proposed}." * bool(
        proposed
    )
