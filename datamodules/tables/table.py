"""Tables, read as text, whatever kind of file they are in; each row knows its file and line."""

from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, Complaint, Item, Kind, raise_error
from datamodules.tables.csv_text import read_csv
from datamodules.tables.json_rows import read_json
from datamodules.tables.table_kinds import ARROW, JSON, check_supported, kind_of

# Columns that a table gets beside its own; see `read_table`.
OWN = ("@file", "@line", "@row", "@column", "@place")


def read_table(file: Path, header: bool = True, delimiter: str | None = None) -> Any:
    """Read a table as text. No value counts as missing: a class may be called NA.

    Args:
        file: A CSV file (see `read_csv`), a JSON file (see `read_json`), a Parquet or Arrow file,
            a folder of these, or a pattern such as `train-*.parquet` (see `read_arrow`).
        header: Whether the first line of a CSV file names the columns.
        delimiter: The character between two values of a CSV file; None to find it.

    Returns:
        A data frame of text with named or numbered columns, and two more, `@file` and `@line`; if
        a file holds images, also `@row`, their numbers in what `pack` writes, and `@place`, the
        files that this packs.

    Raises:
        ValueError: If the file is missing, empty, or not such a table.
    """
    check_supported(file)
    kind = kind_of(file)
    if kind == ARROW:
        from datamodules.tables.arrow_rows import read_arrow  # takes half a second to import

        rows = read_arrow(file)
    else:
        values, lines = read_json(file) if kind == JSON else read_csv(file, header, delimiter)
        rows = values.assign(**{"@file": str(file), "@line": lines})
    if not len(rows):
        raise ValueError(f"{file} has no rows.")
    own = value_columns(rows)
    blank = rows[own].apply(lambda column: column.str.isspace() | (column == "")).all(axis=1)
    if "@row" in rows:
        blank[:] = False
    return rows[~blank].reset_index(drop=True)


def value_columns(rows: Any) -> list[Any]:
    """The columns of a table without those that `read_table` adds."""
    return [column for column in rows.columns if column not in OWN]


def find_column(rows: Any, name: str | int | None, default: str | int | None, option: str) -> Any:
    """One column of a table.

    Args:
        rows: The result of `read_table`.
        name: Name or number (from 0) of the column; None for the default.
        default: The column if no name is given; it may be missing.
        option: The option that names this column, for the error.

    Returns:
        The column, or None if the default column is missing.

    Raises:
        ValueError: If a named column is missing.
    """
    names = value_columns(rows)
    if name is None and default not in names:
        return None
    wanted = default if name is None else name
    if isinstance(wanted, int) and wanted not in names:
        wanted = names[wanted] if 0 <= wanted < len(names) else wanted
    if wanted not in names:
        raise ValueError(
            f"{rows['@file'].iloc[0]} has no column {wanted!r} ({option}); it has "
            f"{', '.join(str(column) for column in names)}."
        )
    return rows[wanted]


def place_of(row: Any) -> str:
    """Where a row is, such as `labels.csv, line 3` or `train.parquet, row 3`."""
    unit = "row" if Path(row["@file"]).suffix.lower() in (".json", ".parquet", ".arrow") else "line"
    return f"{row['@file']}, {unit} {row['@line']}"


def refuse(
    rows: Any,
    wrong: Any,
    what: str,
    column: str = "image",
    kind: Kind = "row",
    complain: Complain = raise_error,
) -> Any:
    """Complain of wrong rows, with the line of the first, and return the others.

    Args:
        rows: Rows with `@file` and `@line`, and perhaps `image`.
        wrong: Whether each row is wrong.
        what: What is wrong, worded to follow the value of the column.
        column: The column whose value the message shows.
        kind: Which problem it is.
        complain: Called with the complaint, if a row is wrong.

    Raises:
        ValueError: If a row is wrong and `complain` raises.
    """
    flags = pd.Series(wrong, index=rows.index, dtype=bool)
    bad = rows[flags]
    if len(bad):
        first = bad.iloc[0]
        more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
        text = f"{place_of(first)}: {first[column]!r} {what}{more}."
        complain(Complaint(kind, items_of(bad, column), text))
    return rows[~flags]


def items_of(rows: Any, column: str = "image") -> tuple[Item, ...]:
    """Image and place of each row, with the value that is wrong unless it is the image."""
    places = [
        place_of({"@file": Path(file).name, "@line": line})
        for file, line in zip(rows["@file"], rows["@line"], strict=True)
    ]
    if column != "image":
        places = [f"{place}: {value!r}" for place, value in zip(places, rows[column], strict=True)]
    names = rows["image"] if "image" in rows else rows[column]
    return tuple(Item(*pair) for pair in zip(names, places, strict=True))
