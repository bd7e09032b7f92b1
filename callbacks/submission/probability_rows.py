"""Rows of probabilities: a row per image and class, which are in columns or in one id."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from callbacks.submission.cells import Cells, Probabilities
from callbacks.submission.class_labels import find_labels
from callbacks.submission.combined_ids import split_combined
from callbacks.submission.filled_column import kept, only_column
from callbacks.submission.image_ids import find_images, some


def combined_cells(table: pd.DataFrame, names: Sequence[str], class_names: Sequence[str]) -> Cells:
    """A row per image and class, whose id is both."""
    ids, columns = table.iloc[:, 0].tolist(), [*table.columns]
    parts = split_combined(ids, names, class_names)
    if parts is None:
        find_images(ids, names)  # says what is wrong
        raise AssertionError
    _check_pairs(parts.rows, parts.classes, names, class_names)
    column = only_column(table, list(range(1, len(columns))), "probability")
    return Probabilities(
        f"ids in {columns[0]} are image and class ({parts.description}); the probability is in "
        f"{columns[column]}{kept([c for n, c in enumerate(columns) if n not in (0, column)])}",
        parts.rows,
        {column: parts.classes},
    )


def long_cells(
    table: pd.DataFrame,
    rows: np.ndarray,
    rest: Sequence[int],
    class_names: Sequence[str],
    head: str,
    twice: Sequence[str],
) -> Cells:
    """A row per image and class, whose class is in a column."""
    for place in rest:
        cells = table.iloc[:, place]
        found = find_labels(cells.unique().tolist(), class_names)
        if len(found) == 1 and len(rest) > 1:
            numbers = {label: number for number, label in enumerate(found[0].labels)}
            if unknown := [cell for cell in cells.unique() if cell not in numbers]:
                raise ValueError(
                    f"{some(unknown)} in its column {table.columns[place]} is no class; the "
                    f"classes are {some(class_names)}."
                )
            classes = np.array([numbers[cell] for cell in cells])
            _check_pairs(rows, classes, None, class_names)
            others = [column for column in rest if column != place]
            column = only_column(table, others, "probability")
            stay = [str(table.columns[other]) for other in others if other != column]
            return Probabilities(
                f"{head}; a row per image and class, which is in {table.columns[place]} "
                f"({found[0].description}); the probability is in {table.columns[column]}"
                f"{kept(stay)}",
                rows,
                {column: classes},
            )
    raise ValueError(
        f"expected every id once, got {some(twice)} twice, and no column has all classes."
    )


def _check_pairs(
    rows: np.ndarray,
    classes: np.ndarray,
    names: Sequence[str] | None,
    class_names: Sequence[str],
) -> None:
    """Check that every image that occurs has one row for each class."""
    counts = Counter(zip(rows.tolist(), classes.tolist(), strict=True))
    for row in sorted({*rows.tolist()}):
        for number, name in enumerate(class_names):
            if counts[row, number] != 1:
                of = f"the image {names[row]}" if names else f"the image number {row}"
                raise ValueError(
                    f"expected one row for {of} and the class {name}, got {counts[row, number]}."
                )
