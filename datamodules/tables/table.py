"""CSV files as people write them, whose rows remember the line they stand in."""

import gzip
import lzma
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.sources.missing import MissingDataError

DELIMITERS = (";", "\t", "|", ",")


def read_table(file: Path, header: bool = True, delimiter: str = ",") -> Any:
    """Read a CSV file as text, nothing taken for missing: a class may be called NA.

    Args:
        file: UTF-8, with or without byte-order mark, any line ends, compressed or not.
        header: Whether the first line names the columns.
        delimiter: What stands between two values.

    Returns:
        A data frame of text, the columns named or numbered, and besides `@file` and `@line`.

    Raises:
        ValueError: If the file is missing, empty or not UTF-8, or a row has too many values.
    """
    rows = _parse(file, header, delimiter)
    _check_delimiter(file, rows, delimiter, header)
    if not isinstance(rows.index, pd.RangeIndex):  # pandas takes what is too much for names of rows
        raise ValueError(f"{file}, line 2 has more values than the header has names.")
    if not len(rows):
        raise ValueError(f"{file} has no rows.")
    rows = rows.fillna("")  # values that a short row lacks
    if header:
        rows.columns = [str(name).strip() for name in rows.columns]
    first_line = 2 if header else 1
    blank = (rows == "").all(axis=1)
    places = {"@file": str(file), "@line": rows.index + first_line}
    return rows.assign(**places)[~blank].reset_index(drop=True)


def find_column(rows: Any, name: str | int | None, default: str | int | None, option: str) -> Any:
    """One column of a table.

    Args:
        rows: What `read_table` gave.
        name: Name or number (from 0) of the column; None for the default.
        default: Taken if no name is given; the column may then be missing.
        option: The option that names this column, for the error.

    Returns:
        The column, or None if there is no default one.

    Raises:
        ValueError: If a column was named and is not there.
    """
    names = [column for column in rows.columns if column not in ("@file", "@line")]
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


def refuse(rows: Any, wrong: Any, what: str, column: str = "image") -> None:
    """Raise if a row is wrong, naming the line of the first.

    Args:
        rows: Rows with `@file` and `@line`.
        wrong: One truth value a row.
        what: What is wrong with it, after the value of the column.
        column: The column whose value is shown.

    Raises:
        ValueError: If one is true.
    """
    bad = rows[pd.Series(wrong, index=rows.index)]
    if len(bad):
        first = bad.iloc[0]
        more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
        raise ValueError(
            f"{first['@file']}, line {first['@line']}: {first[column]!r} {what}{more}."
        )


def _parse(file: Path, header: bool, delimiter: str) -> Any:
    if not file.is_file():
        raise MissingDataError(f"There is no file {file}.")
    if len(delimiter) != 1:
        raise ValueError(f"Expected the delimiter to be one character, got {delimiter!r}.")
    try:
        return pd.read_csv(
            file,
            sep=delimiter,
            header=0 if header else None,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            skip_blank_lines=False,  # so that the index gives the line
        )
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8; save it as such.") from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{file} is empty.") from None
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{file} is damaged or cut off: {error}.") from None
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise ValueError(f"{file} is no table: {reason}.") from None


def _check_delimiter(file: Path, rows: Any, delimiter: str, header: bool) -> None:
    """One column whose text holds another delimiter was meant to be several."""
    if len(rows.columns) > 1 or (not header and not len(rows)):
        return
    text = str(rows.columns[0] if header else rows.iloc[0, 0])
    if other := [mark for mark in DELIMITERS if mark in text and mark != delimiter]:
        raise ValueError(
            f"{file} has one column, {text!r}. Are its values separated by {other[0]!r}? Then say "
            f"--data.delimiter {other[0]!r}."
        )
