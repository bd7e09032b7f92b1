"""One file of a manifest: a table from which image, label, split and group are taken."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, Complaint, Item
from datamodules.names import composed
from datamodules.sources.decode import EXTENSIONS
from datamodules.tables.columns import (
    FIRST,
    IMAGE,
    LABEL,
    SECOND,
    Columns,
    column_named,
    looks_like_split,
    split_column,
)
from datamodules.tables.further_columns import further_columns
from datamodules.tables.missing_columns import about_labels, missing_column
from datamodules.tables.name_labels import PREFIX, compiled, labels_from_names
from datamodules.tables.one_hot import labels_of, one_hot_columns
from datamodules.tables.table import OWN, items_of, read_table, value_columns

OPTION = "data.columns.label"


@dataclass(frozen=True)
class Layout:
    """How to read the files of a manifest.

    Attributes:
        header: Whether the first line of the files names the columns.
        columns: Which column holds what.
        delimiter: The character between two values; None to find it.
        labels: For each split whose labels are in a file of their own: that file, with one label
            per row in its last column.
        class_names: Classes that the user has named; such labels are taken as they are.
    """

    header: bool = True
    columns: Columns = Columns()  # noqa: RUF009 - it is frozen
    delimiter: str | None = None
    labels: Mapping[str, Path] = field(default_factory=dict)
    class_names: Collection[str] = ()


def read_file(split: str, file: Path, layout: Layout, complain: Complain) -> Any:
    """The rows of one file: image, label, split, perhaps group, further columns, and their places.

    Args:
        split: Split of all rows; empty if a column names it.
        file: The file.
        layout: How to read it.
        complain: Called with rows of several labels, and with how the columns are understood.

    Raises:
        ValueError: If a column is missing, or `complain` raises.
    """
    table = read_table(file, layout.header, layout.delimiter)
    if layout.header and Path(str(value_columns(table)[0])).suffix.lower() in EXTENSIONS:
        raise ValueError(
            f"The first line of {file} names an image, not the columns: set --data.header false."
        )
    columns = layout.columns
    image = _image_column(table, layout)
    names = {
        "image": image,
        "split": None if split else split_column(table, columns.split),
        "group": column_named(table, columns.group, (("group",),), "data.columns.group"),
    }
    found = {name: table[column] for name, column in names.items() if column is not None}
    label = None
    if split in layout.labels:
        found["label"] = _labels_apart(layout.labels[split], table, layout)
    else:
        label, values = _labels(table, layout, names, complain)
        if values is not None:
            found["label"] = values
    if "label" not in found and split not in ("test", "predict"):
        taken = [name for name in names.values() if name is not None]
        raise missing_column(table, "label", about_labels(table, image, taken))
    _tell(table, image, label, names["split"], complain)
    own = {name: table[name] for name in OWN if name in table}
    used = [*names.values(), label, *table.attrs.get("one_hot", ())]
    further = further_columns(table, used) if layout.header else {}
    rows = pd.DataFrame({"label": "", **found, **own, **further})
    if "@row" in rows:
        rows["@column"] = str(image)
    noted = table.attrs.get("class_names") or table.attrs.get("classes", {}).get(label)
    rows.attrs = {"class_names": noted} if noted else {}
    rows["label"] = rows["label"].str.strip().map(composed)
    return rows.assign(split=split or rows.get("split", "train"))


def _image_column(table: Any, layout: Layout) -> Any:
    """The column of the images: the only one that holds images, or the one named so."""
    held = table.attrs.get("images", ())
    usual = IMAGE if layout.header else FIRST
    if layout.columns.image is None and len(held) == 1 and "@row" in table:
        return held[0]
    image = column_named(table, layout.columns.image, usual, "data.columns.image")
    if image is None:
        raise missing_column(table, "image")
    return image


def _labels(
    table: Any, layout: Layout, names: Mapping[str, Any], complain: Complain
) -> tuple[Any, Any]:
    """Where the labels are, and the label of each row; None if there are none."""
    given = layout.columns.label
    if isinstance(given, str) and given.startswith(PREFIX):
        pattern = given.removeprefix(PREFIX)
        labels = labels_from_names(table[names["image"]], compiled(pattern, OPTION))
        values = pd.Series(labels, index=table.index)
        _complain_of_names(table, values, names["image"], pattern, complain)
        return None, values
    if isinstance(given, list):
        classes = [column_named(table, name, (), OPTION) for name in given]
        table.attrs |= {"one_hot": classes, "class_names": list(map(str, classes))}
        return None, labels_of(table, classes, complain)
    usual = LABEL if layout.header else SECOND
    column = column_named(table, given, usual, OPTION)
    noted = table.attrs.get("classes", {})
    if column is None and len(noted) == 1:
        column = next(iter(noted))
    if column is not None:
        return column, table[column]
    taken = [name for name in names.values() if name is not None]
    others = [name for name in value_columns(table) if name not in taken]
    classes = one_hot_columns(table[others]) if layout.header else []
    if not classes:
        return None, None
    table.attrs |= {"one_hot": classes, "class_names": list(map(str, classes))}
    listed = ", ".join(map(str, classes[:8])) + (" …" if len(classes) > 8 else "")
    return f"{len(classes)} columns of 0 and 1, {listed}", labels_of(table, classes, complain)


def _complain_of_names(
    table: Any, labels: Any, image: Any, pattern: str, complain: Complain
) -> None:
    """Complain of images whose name has no label, if they are not among those to predict."""
    unfit = table[labels == ""]
    if not len(unfit):
        return
    text = (
        f"{table['@file'].iloc[0]}: the pattern {pattern!r} fits the names of "
        f"{len(table) - len(unfit):,} of {len(table):,} images, but not {unfit[image].iloc[0]!r}."
    )
    items = items_of(unfit.assign(image=unfit[image]))
    complain(Complaint("interpretation", items, text, is_error=False))


def _tell(table: Any, image: Any, label: Any, split: Any, complain: Complain) -> None:
    """Say which columns are used if their names are not the usual ones."""
    others = [c for c in value_columns(table) if c not in (image, label, split)]
    unused = [c for c in others if looks_like_split(table, c)]
    if unused and split is None:
        text = (
            f"{table['@file'].iloc[0]}: the column {unused[0]!r} is not used, as its values or its "
            "name are not those of splits; --data.columns.split names the column of splits."
        )
        complain(Complaint("interpretation", (Item(text),), text, is_error=False))
    unusual = [
        f"the {what} from {column if ' ' in str(column) else repr(column)}"
        for what, column in (("image", image), ("label", label), ("split", split))
        if column not in (None, what, "0", "1", 0, 1)
    ]
    if unusual:
        text = f"{table['@file'].iloc[0]}: takes {' and '.join(unusual)}."
        complain(Complaint("interpretation", (Item(text),), text, is_error=False))


def _labels_apart(file: Path, table: Any, layout: Layout) -> Any:
    """The labels from a file of their own."""
    labels = read_table(file, layout.header, layout.delimiter)
    if len(labels) != len(table):
        raise ValueError(
            f"{file} has {len(labels)} rows, but {table['@file'].iloc[0]} has {len(table)}."
        )
    return labels[value_columns(labels)[-1]]
