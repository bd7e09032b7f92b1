"""Labels that a person has looked at and mended, in a CSV file beside the data."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.utilities import rank_zero_info

from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.tables.table import read_table, refuse

COLUMNS = ("image", "label", "suggested")
LEFT_OUT = -2  # in the place of a label
MAX_NEAR = 3  # names in a message


def with_fixes(
    sources: Mapping[str, ImageSource], class_names: Sequence[str], file: Path | None
) -> dict[str, ImageSource]:
    """Give images the labels that a file suggests for them, and leave out those without one.

    Which image is in which split does not change, so runs before and after can be compared.

    Args:
        sources: The images of each split; those to predict have no label to mend.
        class_names: Names of the classes, as the file has them.
        file: Has the columns image, label (the wrong one) and suggested (the right one, or nothing
            to leave the image out); other columns are not read. None for no fixes.

    Returns:
        The images of each split, with the labels that they should have.

    Raises:
        ValueError: If the file or a column of it is missing, an image is not there or listed twice,
            a class is unknown, or an image has another label than the file says.
    """
    if file is None:
        return dict(sources)
    rows = _read(file)
    labelled = {split: source for split, source in sources.items() if split != "predict"}
    names = dict(enumerate(class_names)) | {UNLABELLED: ""}
    given = {
        image: names[label]
        for source in labelled.values()
        for image, label in zip(source.names, source.labels.tolist(), strict=True)
    }
    _check(rows, class_names, given)
    numbers = {name: number for number, name in enumerate(class_names)} | {"": LEFT_OUT}
    fixes = dict(zip(rows["image"], rows["suggested"].map(numbers), strict=True))
    _tell(file, rows)
    return {**sources, **{split: _fixed(source, fixes) for split, source in labelled.items()}}


def _read(file: Path) -> Any:
    """The rows of the file; a spreadsheet may have put semicolons in the place of commas."""
    if not file.is_file():
        raise ValueError(f"There is no file {file} (options.label_fixes).")
    with file.open("rb") as opened:
        header = opened.readline()
    rows = read_table(file, delimiter=";" if b";" in header and b"," not in header else ",")
    if missing := [column for column in COLUMNS if column not in rows.columns]:
        raise ValueError(
            f"{file} has no column {missing[0]!r}; options.label_fixes reads {', '.join(COLUMNS)}."
        )
    return rows.assign(**{column: rows[column].str.strip() for column in COLUMNS})


def _check(rows: Any, class_names: Sequence[str], given: Mapping[str, str]) -> None:
    """Refuse what can be no fix; `given` has the label of each image."""
    refuse(rows, rows["image"].duplicated(), "is listed a second time")
    unknown = ~rows["image"].isin(given.keys())
    if unknown.any():
        near = difflib.get_close_matches(rows["image"][unknown].iloc[0], given, n=MAX_NEAR)
        called = f"near names: {', '.join(near)}" if near else f"one is called {next(iter(given))}"
        refuse(rows, unknown, f"is no image of the data; {called}")
    for column in ("label", "suggested"):
        known = f"is no class: expected {', '.join(class_names)}"
        refuse(rows, ~rows[column].isin([*class_names, ""]), known, column)
    actual = rows["image"].map(given)
    differs = rows["label"] != actual
    if differs.any():
        there, said = actual[differs].iloc[0], rows["label"][differs].iloc[0]
        text = f"is {there} in the data, not {said}: if it was mended there, delete the line"
        refuse(rows, differs, text)


def _fixed(source: ImageSource, fixes: Mapping[str, int]) -> ImageSource:
    pairs = zip(source.names, source.labels.tolist(), strict=True)
    labels = np.array([fixes.get(image, label) for image, label in pairs], dtype=np.int64)
    return replace(source, labels=labels).subset(np.flatnonzero(labels != LEFT_OUT))


def _tell(file: Path, rows: Any) -> None:
    left_out = int((rows["suggested"] == "").sum())
    mended = int((rows["suggested"] != rows["label"]).sum()) - left_out
    rank_zero_info(f"{file}: labels mended {mended}, images left out {left_out}.")
