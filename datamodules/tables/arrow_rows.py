"""Parquet and Arrow files as tables of text; their images stay where they are until they are read.

The files of Hugging Face's `datasets` are such files. They are read with pyarrow: scripts and
settings that come with a dataset are never run.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from datamodules.sources.arrow_files import arrow_files, batches, features_of, schema_of
from datamodules.tables.json_rows import as_text

MAX_LENGTH = 1000  # characters of a value: no path and no label is longer


def read_arrow(place: Path) -> Any:
    """The values of a table as text; see `read_table`.

    A column of images has their paths or is empty. The names of the classes of each column that has
    them are in `attrs["classes"]`, and the columns of images in `attrs["images"]`.

    Args:
        place: A file, a folder of files, or a pattern.

    Raises:
        ValueError: If a file is damaged, or the files have different columns.
    """
    files = arrow_files(place)
    schema = schema_of(files[0])
    classes = {name: n for name, f in features_of(schema).items() if (n := _class_names(f))}
    images = [field.name for field in schema if _is_image(field.type)]
    texts = [field.name for field in schema if _is_text(field.type)]
    tables = [_read(file, schema, texts, images, classes) for file in files]
    rows = pd.concat(tables, ignore_index=True)
    if images:
        rows["@row"], rows["@place"] = range(len(rows)), str(place)
        empty = [name for name in images if not _has_bytes(files, schema, name)]
        if len(empty) == len(images):  # only paths
            rows = rows.drop(columns=["@row", "@place"])
    nested = [field.name for field in schema if field.name not in (*texts, *images)]
    rows.attrs |= {"classes": classes, "images": images, "nested": nested}
    return rows


def _read(
    file: Path, schema: Any, texts: list[str], images: list[str], classes: Mapping[str, list[str]]
) -> Any:
    if schema_of(file).names != schema.names:
        raise ValueError(f"{file} has other columns than the files beside it.")
    paths = {f"{name}.path": name for name in images if _has_path(schema.field(name).type)}
    values: dict[str, list[str]] = {name: [] for name in [*texts, *paths]}
    num_rows = 0
    for batch in batches(file, [*texts, *paths] or [schema.names[0]]):
        num_rows += len(batch)
        for name in values:
            names = classes.get(name, ())
            values[name] += [_text(value, names) for value in batch[name].to_pylist()]
    table = {paths.get(name, name): found for name, found in values.items()}
    table |= {name: [""] * num_rows for name in images if name not in table}
    lines = range(1, num_rows + 1)
    rows = pd.DataFrame(table, dtype=str)[[n for n in schema.names if n in table]]
    return rows.assign(**{"@file": str(file), "@line": lines})


def _text(value: Any, names: list[str] | tuple[str, ...]) -> str:
    """A value as text; numbers of classes as their names, and -1, which stands for none, empty."""
    if isinstance(value, list):
        return json.dumps([_text(part, names) for part in value[:MAX_LENGTH]], ensure_ascii=False)
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else "" if value == -1 else str(value)
    return as_text(value)[:MAX_LENGTH]


def _class_names(feature: Any) -> list[str]:
    """The names of the classes of a column, also if it has lists of them."""
    if isinstance(feature, list):
        feature = feature[0] if feature else {}
    if not isinstance(feature, dict):
        return []
    if feature.get("_type") in ("Sequence", "List", "LargeList"):
        return _class_names(feature.get("feature"))
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _is_image(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return "bytes" in [kind.field(i).name for i in range(kind.num_fields)]
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _has_path(kind: Any) -> bool:
    return pa.types.is_struct(kind) and "path" in [
        kind.field(i).name for i in range(kind.num_fields)
    ]


def _is_text(kind: Any) -> bool:
    """Whether a column can hold a path, a label or a split: single values, or lists of labels."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = kind.value_type
        return pa.types.is_integer(inner) or pa.types.is_string(inner)
    return not (pa.types.is_nested(kind) or _is_image(kind))


def _has_bytes(files: list[Path], schema: Any, name: str) -> bool:
    """Whether a column of images has the content of one."""
    field = f"{name}.bytes" if pa.types.is_struct(schema.field(name).type) else name
    for file in files:
        for batch in batches(file, [field]):
            if batch.column(0).null_count < len(batch):
                return True
    return False
