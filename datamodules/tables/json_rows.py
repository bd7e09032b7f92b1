"""JSON files as tables of text: one object per line, a list of objects, or one list per column."""

import json
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd

from datamodules.sources.missing_data import MissingDataError
from datamodules.tables.csv_dialect import DAMAGED

EXPECTED = (
    'expected one object per line, {"image": "a.png", "label": "cat"}, a list of such objects, or '
    'one object of names and labels, {"a.png": "cat"}'
)


def read_json(file: Path) -> tuple[Any, Any]:
    """The values of a JSON file as text, and the line of each row, or its number from 1 in a list.

    Lists and objects within a row are kept as JSON; `null` becomes empty.

    Raises:
        ValueError: If the file is missing, or holds something else than rows.
    """
    if not file.is_file():
        raise MissingDataError(f"There is no file {file}.")
    try:
        opened: Any = fsspec.open(str(file), "rb", compression="infer")
        with opened as stream:
            text = stream.read().decode("utf-8-sig")
    except (ImportError, *DAMAGED) as error:
        raise ValueError(f"{file} cannot be read: {error}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8; save it as UTF-8.") from None
    rows, lines = _of_lines(text, file) if _has_lines(file, text) else _of_content(text, file)
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{file} holds something else than rows; {EXPECTED}.")
    values = [{str(key).strip(): as_text(value) for key, value in row.items()} for row in rows]
    return pd.DataFrame(values, dtype=str).fillna(""), pd.Index(lines)


def as_text(value: Any) -> str:
    """A value of JSON, Parquet or Arrow as a CSV file would hold it."""
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _has_lines(file: Path, text: str) -> bool:
    """Whether each line is an object, by the ending of the file or by its first two lines."""
    if ".json" not in [suffix.lower() for suffix in file.suffixes]:
        return True
    first, _, rest = text.strip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")


def _of_lines(text: str, file: Path) -> tuple[list[Any], list[int]]:
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    rows = [_parsed(line, f"{file}, line {number}") for number, line in numbered]
    return rows, [number for number, _ in numbered]


def _of_content(text: str, file: Path) -> tuple[list[Any], list[int]]:
    content = _parsed(text, str(file))
    if isinstance(content, dict):
        content = _of_object(content, file)
    if not isinstance(content, list):
        raise ValueError(f"{file} holds something else than rows; {EXPECTED}.")
    return content, list(range(1, len(content) + 1))


def _of_object(content: dict[str, Any], file: Path) -> list[Any]:
    """The rows of one object: lists of equal length are columns, other values are labels.

    Tables of pandas are objects of objects: columns or rows outside. Files of several parts, such
    as `{"data": [...]}`, have their rows in the only list of objects.
    """
    if {"images", "annotations"} <= content.keys():
        raise ValueError(
            f"{file} holds annotations in COCO's form, which are not supported; write a CSV file "
            "with one row per image, with the columns image and label."
        )
    lists = [value for value in content.values() if isinstance(value, list)]
    tables = [rows for rows in lists if rows and all(isinstance(row, dict) for row in rows)]
    if len(tables) == 1 and len(lists) == 1:
        return tables[0]
    if len(content) > 1 and all(isinstance(value, dict) for value in content.values()):
        return _of_objects(content)
    if len(lists) == len(content) > 1 and len(set(map(len, lists))) == 1:
        return [dict(zip(content, row, strict=True)) for row in zip(*lists, strict=True)]
    if any(isinstance(value, (list, dict)) for value in content.values()):
        raise ValueError(f"{file} holds something else than rows; {EXPECTED}.")
    return [{"image": name, "label": label} for name, label in content.items()]


def _of_objects(content: dict[str, dict[str, Any]]) -> list[Any]:
    """The rows of objects: one for each column, with the same keys, or one for each image."""
    first = next(iter(content.values()))
    if len(first) > len(content) and all(set(value) == set(first) for value in content.values()):
        return [{name: values[key] for name, values in content.items()} for key in first]
    return [row if key.isdecimal() else {"image": key, **row} for key, row in content.items()]


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{place} is nested too deeply.") from None
    except ValueError as error:
        reason = str(error).partition(": line")[0]
        raise ValueError(f"{place} is not JSON: {reason}.") from None
