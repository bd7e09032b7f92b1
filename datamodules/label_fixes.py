"""Label fixes: labels that a person has corrected, in a CSV file beside the dataset."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.utilities import rank_zero_info

from datamodules.names import composed
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.tables.table import read_table, refuse

COLUMNS = ("image", "label", "suggested")
LEFT_OUT = -2  # in the place of a label
MAX_NEAR = 3  # names in a message


def with_fixes(
    sources: Mapping[str, ImageSource], class_names: Sequence[str], file: Path | str | None
) -> dict[str, ImageSource]:
    """Give images the labels that a file suggests, and leave out images without a suggestion.

    The split of an image does not change, so that runs before and after can be compared.

    Args:
        sources: The images of each split; those to predict have no label to correct.
        class_names: Names of the classes, as in the file.
        file: A CSV file with the columns image, label (the present one) and suggested (the right
            one, or empty to leave the image out); other columns are ignored. None for no fixes.

    Returns:
        The images of each split with the corrected labels.

    Raises:
        ValueError: If the file or a column of it is missing, an image is unknown or listed twice, a
            class is unknown, or an image has another label than the file states.
    """
    if file is None:
        return dict(sources)
    file = Path(file)
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
    _log(file, rows)
    return {**sources, **{split: _fixed(source, fixes) for split, source in labelled.items()}}


def _read(file: Path) -> Any:
    """The rows of the file, which a spreadsheet may have saved with semicolons."""
    if not file.is_file():
        raise ValueError(f"There is no file {file} (options.label_fixes).")
    rows = read_table(file)
    if missing := [column for column in COLUMNS if column not in rows.columns]:
        raise ValueError(
            f"{file} has no column {missing[0]!r}; options.label_fixes reads {', '.join(COLUMNS)}."
        )
    return rows.assign(
        **{column: rows[column].str.strip().map(composed) for column in COLUMNS[1:]},
        image=rows["image"].str.strip(),
    )


def _check(rows: Any, class_names: Sequence[str], given: Mapping[str, str]) -> None:
    """Refuse impossible fixes; `given` has the present label of each image."""
    refuse(rows, rows["image"].duplicated(), "is listed a second time")
    unknown = ~rows["image"].isin(given.keys())
    if unknown.any():
        near = difflib.get_close_matches(rows["image"][unknown].iloc[0], given, n=MAX_NEAR)
        similar = f"similar: {', '.join(near)}" if near else f"for example {next(iter(given))}"
        refuse(rows, unknown, f"is not an image of the dataset; {similar}")
    for column in ("label", "suggested"):
        known = f"is not a class: expected {', '.join(class_names)}"
        refuse(rows, ~rows[column].isin([*class_names, ""]), known, column)
    actual = rows["image"].map(given)
    differs = rows["label"] != actual
    if differs.any():
        present, stated = actual[differs].iloc[0], rows["label"][differs].iloc[0]
        text = f"is {present} in the dataset, not {stated}: if it was corrected, delete the line"
        refuse(rows, differs, text)


def _fixed(source: ImageSource, fixes: Mapping[str, int]) -> ImageSource:
    pairs = zip(source.names, source.labels.tolist(), strict=True)
    labels = np.array([fixes.get(image, label) for image, label in pairs], dtype=np.int64)
    return replace(source, labels=labels).subset(np.flatnonzero(labels != LEFT_OUT))


def _log(file: Path, rows: Any) -> None:
    left_out = int((rows["suggested"] == "").sum())
    corrected = int((rows["suggested"] != rows["label"]).sum()) - left_out
    rank_zero_info(f"{file}: {corrected} labels corrected, {left_out} images left out.")
