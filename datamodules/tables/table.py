"""CSV files, read as text; each row knows its file and line."""

import lzma
import os
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, Complaint, Item, Kind, raise_error
from datamodules.sources.missing_data import MissingDataError

DELIMITERS = (";", "\t", "|", ",")
# Errors of compressed files.
DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, tarfile.TarError, zipfile.BadZipFile)


def read_table(file: Path, header: bool = True, delimiter: str = ",") -> Any:
    """Read a CSV file as text. No value counts as missing: a class may be called NA.

    Args:
        file: UTF-8, with or without a byte-order mark, with any line ends, compressed or not.
        header: Whether the first line names the columns.
        delimiter: The character between two values.

    Returns:
        A data frame of text with named or numbered columns, and two more, `@file` and `@line`.

    Raises:
        ValueError: If the file is missing, empty or not UTF-8, or a row has too many values.
    """
    rows = _parse(file, header, delimiter)
    if not len(rows.columns):
        raise ValueError(f"{file}, line 1 is blank; expected the names of the columns.")
    _check_delimiter(file, rows, delimiter, header)
    if not isinstance(rows.index, pd.RangeIndex):  # pandas takes extra values for names of rows
        raise ValueError(f"{file}, line 2 has more values than the header has names.")
    if not len(rows):
        raise ValueError(f"{file} has no rows.")
    rows = rows.fillna("")  # the missing values of short rows
    if header:
        rows.columns = [str(name).strip() for name in rows.columns]
    first_line = 2 if header else 1
    blank = (rows == "").all(axis=1)
    places = {"@file": str(file), "@line": rows.index + first_line}
    return rows.assign(**places)[~blank].reset_index(drop=True)


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
        text = f"{first['@file']}, line {first['@line']}: {first[column]!r} {what}{more}."
        complain(Complaint(kind, _items(bad, column), text))
    return rows[~flags]


def _items(rows: Any, column: str) -> tuple[Item, ...]:
    """Image and place of each row, with the value that is wrong unless it is the image."""
    places = [
        f"{Path(file).name}, line {line}"
        for file, line in zip(rows["@file"], rows["@line"], strict=True)
    ]
    if column != "image":
        places = [f"{place}: {value!r}" for place, value in zip(places, rows[column], strict=True)]
    names = rows["image"] if "image" in rows else rows[column]
    return tuple(Item(*pair) for pair in zip(names, places, strict=True))


def _parse(file: Path, header: bool, delimiter: str) -> Any:
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises for a long name
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
    except (ImportError, ValueError, *DAMAGED) as error:
        raise ValueError(f"{file} {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """Why pandas cannot read a file, to follow its name."""
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8; save it as UTF-8"
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
