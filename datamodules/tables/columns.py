"""Columns of a manifest: which of them holds the image, the label, the split and the group."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datamodules.tables.table import find_column, value_columns

# Names that people give the columns, the usual ones first; those of a later line are only
# looked for if no column has one of an earlier line.
IMAGE = (
    ("image",),
    (
        *("img", "file", "filename", "file_name", "filepath", "file_path", "path"),
        *("image_file", "image_filename", "image_name", "image_path", "img_name", "img_path"),
    ),
    ("image_id", "img_id", "imageid", "id", "uuid"),
    ("url", "image_url"),
)
LABEL = (
    ("label",),
    (
        *("labels", "class", "classes", "class_name", "category", "category_name", "label_name"),
        *("species", "target", "y"),
    ),
    ("class_id", "category_id", "label_id", "class_index", "label_index"),
)
SPLIT = (
    ("split",),
    ("subset", "partition", "set", "fold", "phase", "usage", "dataset", "data_set", "data_split"),
    ("is_valid", "is_val", "is_validation", "is_test"),  # true or false
)
FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
FIRST, SECOND = (("0",),), (("1",),)  # the columns of a file without header
SPLIT_VALUES = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "publictest", "privatetest"), "test"),
    **dict.fromkeys(("predict", "prediction"), "predict"),
}


@dataclass(frozen=True)
class Columns:
    r"""Which column holds what, by its name or its number, counted from 0.

    Attributes:
        image: Path of the image, or its encoded bytes; None for `image` or a similar name, or the
            first column of a file without header.
        label: Class of the image; None for `label` or a similar name, or the second column. A list
            names columns of 0 and 1, one for each class. `name:PATTERN` takes it from the name of
            the file: the first group of a regular expression, `name:^(\w+)_\d+`.
        split: train, val, test or predict; None for `split` or a similar name, if there is such a
            column.
        group: The original that the image is a copy of; None for `group`, if there is such a
            column.
    """

    image: int | str | None = None
    label: int | str | list[int | str] | None = None
    split: int | str | None = None
    group: int | str | None = None


def column_named(
    table: Any, given: int | str | None, names: Sequence[Sequence[str]], option: str
) -> Any:
    """The name of a column: the given one, or the only one with one of the usual names.

    Args:
        table: See `read_table`.
        given: Name or number of the column; None to find it.
        names: The usual names, those of the first group first.
        option: The option that names this column, for the error.

    Returns:
        Its name in the table; None if no name is given, and there is no such column.

    Raises:
        ValueError: If a named column is missing, or several columns are possible.
    """
    if given is not None:
        if isinstance(given, str) and given not in value_columns(table):
            same = [c for c in value_columns(table) if _plain(c) == _plain(given)]
            given = same[0] if len(same) == 1 else given
        return find_column(table, given, None, option).name
    present = value_columns(table)
    for group in names:
        found = [column for column in present if _plain(column) in group]
        found = [column for column in found if column == group[0]] or found
        if "y" in map(_plain, found) and "x" in map(_plain, present):  # coordinates
            found = [column for column in found if _plain(column) != "y"]
        if len(found) > 1:
            raise ValueError(
                f"{table['@file'].iloc[0]} has several columns that may be meant: "
                f"{', '.join(map(str, found))}. Choose one with --{option}."
            )
        if found:
            return found[0]
    return None


def split_column(table: Any, given: int | str | None) -> Any:
    """The name of the column of splits; None if there is none.

    A column `is_valid` or `is_test` of true and false is turned into one of splits in the table.
    """
    name = column_named(table, given, SPLIT, "data.columns.split")
    if name is None:
        return None
    values = {_plain(value) for value in table[name]} - {""}
    if values and values <= FLAGS.keys() and _plain(name) in SPLIT[2]:
        chosen = "test" if _plain(name) == "is_test" else "val"
        flags = table[name].map(lambda value: FLAGS.get(_plain(value), False))
        table[name] = flags.map({True: chosen, False: "train"})
        return name
    if given is not None or _plain(name) == "split":
        return name
    return name if values and values <= SPLIT_VALUES.keys() else None


def looks_like_split(table: Any, name: Any) -> bool:
    """Whether a column names splits, or is named as if it did."""
    values = {_plain(value) for value in table[name]} - {""}
    names_splits = len(values) > 1 and values <= SPLIT_VALUES.keys()
    return names_splits or any(_plain(name) in group for group in SPLIT)


def split_names(values: Any) -> Any:
    """The splits that a column names, however they are spelled; others are kept as they are."""
    return values.map(lambda value: SPLIT_VALUES.get(_plain(value), value))


def _plain(name: Any) -> str:
    return re.sub(r"[\s\-]+", "_", str(name).strip().casefold())
