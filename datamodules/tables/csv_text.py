"""CSV files as text: no value counts as missing, and every row knows its line."""

import os
from itertools import accumulate
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.sources.missing_data import MissingDataError
from datamodules.tables.csv_dialect import DAMAGED, DELIMITERS, Dialect, dialect_of, other_kind


def read_csv(file: Path, header: bool, delimiter: str | None) -> tuple[Any, Any]:
    """The values of a CSV file as text, and the line of each row.

    Args:
        file: UTF-8 or UTF-16, with or without a byte-order mark, with any line ends, compressed or
            not.
        header: Whether the first line names the columns; a `#` before the names is ignored.
        delimiter: The character between two values; None to find it.

    Raises:
        ValueError: If the file is missing, empty, no text, or a row has too many values.
    """
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises for a long name
        raise MissingDataError(f"There is no file {file}.")
    if kind := other_kind(file):
        raise ValueError(f"{file} is not a CSV file: it is {kind}.")
    dialect = dialect_of(file, delimiter)
    rows = _parse(file, header, dialect)
    if not len(rows.columns):
        raise ValueError(f"{file}, line 1 is blank; expected the names of the columns.")
    _check_delimiter(file, rows, dialect.delimiter, header)
    if not isinstance(rows.index, pd.RangeIndex):  # pandas takes extra values for names of rows
        raise ValueError(f"{file}, line 2 has more values than the header has names.")
    rows = rows.fillna("")  # the missing values of short rows
    if header:
        rows.columns = [str(name).lstrip("#").strip() for name in rows.columns]
    lines = _lines(rows, dialect.skipped + (2 if header else 1))
    is_comment = _comments(rows)
    return rows[~is_comment], lines[~is_comment]


def columns_of(file: Path) -> list[str]:
    """The names in the first line of a CSV file; empty if it cannot be read."""
    try:
        columns = _parse(file, True, dialect_of(file), nrows=0).columns
    except ValueError:  # `read_csv` reports what is wrong with it
        return []
    return [str(name).strip() for name in columns]


def _parse(file: Path, header: bool, dialect: Dialect, nrows: int | None = None) -> Any:
    try:
        return pd.read_csv(
            file,
            sep=dialect.delimiter,
            header=0 if header else None,
            dtype=str,
            keep_default_na=False,
            encoding=dialect.encoding,
            skiprows=dialect.skipped,
            nrows=nrows,
            skip_blank_lines=False,  # so that the index gives the line
            skipinitialspace=True,  # a quote after it begins a value
        )
    except (ImportError, ValueError, *DAMAGED) as error:
        raise ValueError(f"{file} {_reason(error)}.") from None


def _lines(rows: Any, first: int) -> Any:
    """The line on which each row begins; quoted values may have several lines."""
    breaks = pd.Series(0, index=rows.index)
    for column in rows.columns:
        breaks += rows[column].str.count("\n")
    before = list(accumulate(breaks.tolist(), initial=0))[:-1]
    return rows.index + first + before


def _comments(rows: Any) -> Any:
    """Rows that begin with `# `, or with `#` and have no other value."""
    start = rows[rows.columns[0]]
    alone = (rows[rows.columns[1:]] == "").all(axis=1) & (len(rows.columns) > 1)
    return start.str.startswith("# ") | (start.str.startswith("#") & alone)


def _reason(error: Exception) -> str:
    """Why pandas cannot read a file, to follow its name."""
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    if isinstance(error, UnicodeError):
        return "is not UTF-8; save it as UTF-8 (in Excel: CSV UTF-8)"
    if isinstance(error, pd.errors.EmptyDataError):
        return "is empty"
    if isinstance(error, pd.errors.ParserError):
        return f"is not a table: {text}"
    if isinstance(error, DAMAGED):
        return f"is damaged or cut off: {text.rstrip('.')}"
    return f"cannot be read: {text.rstrip('.')}"  # an archive of several files


def _check_delimiter(file: Path, rows: Any, delimiter: str, header: bool) -> None:
    """Refuse a single column whose text holds another delimiter."""
    if len(rows.columns) > 1 or (not header and not len(rows)):
        return
    text = str(rows.columns[0] if header else rows.iloc[0, 0])
    if other := [mark for mark in DELIMITERS if mark in text and mark != delimiter]:
        raise ValueError(
            f"{file} has one column, {text!r}. Are its values separated by {other[0]!r}? Then set "
            f"--data.delimiter {other[0]!r}."
        )
