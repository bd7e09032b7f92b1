"""Forms of a sample submission: which one a table has, and what its cells stand for."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from callbacks.submission.answer_column import answer_cells
from callbacks.submission.cells import Cells, Probabilities
from callbacks.submission.class_labels import (
    ClassLabels,
    find_labels,
    missing_labels,
)
from callbacks.submission.filled_column import NUMBER, kept
from callbacks.submission.image_ids import AmbiguousIds, ImageIds, find_images, some
from callbacks.submission.probability_rows import combined_cells, long_cells


def read_cells(table: pd.DataFrame, names: Sequence[str], class_names: Sequence[str]) -> Cells:
    """Find out what the cells of a sample submission stand for; see `read_submission`.

    Raises:
        ValueError: If the form is not clear, or does not fit the images and classes.
    """
    columns = [*table.columns]
    found = find_labels(columns, class_names) if len(class_names) > 1 else []
    if len(found) > 1:
        sets = " or ".join(f"{one.labels[0]}, {one.labels[1]} …" for one in found)
        raise ValueError(f"the columns of the classes may be {sets}; remove those that are not.")
    if found:
        return _wide(table, names, found[0])
    if len(columns) > 3 and (missing := missing_labels(columns, class_names)):
        raise ValueError(f"there is no column for the class {some(missing)}.")
    place, ids = _ids(table, names)
    if ids is None:
        return combined_cells(table, names, class_names)
    rest = [column for column in range(len(columns)) if column != place]
    head = f"ids in {columns[place]} are {ids.description}"
    rows = np.array(ids.rows)
    given = table.iloc[:, place].tolist()
    if twice := [given for given, count in Counter(given).items() if count > 1]:
        return long_cells(table, rows, rest, class_names, head, twice)
    return answer_cells(table, rows, rest, class_names, head)


def _ids(table: pd.DataFrame, names: Sequence[str]) -> tuple[int, ImageIds | None]:
    """The first column whose cells are images; no ids if none is."""
    for place in range(table.shape[1]):
        unique, inverse = np.unique(table.iloc[:, place].to_numpy(str), return_inverse=True)
        if place and len(unique) not in (len(inverse), len(names)):
            continue  # answers that look like ids: a form with a row per class names all images
        try:
            ids = find_images(unique.tolist(), names)
        except AmbiguousIds:
            raise
        except ValueError:
            continue
        return place, ids._replace(rows=[ids.rows[number] for number in inverse])
    return 0, None


def _wide(table: pd.DataFrame, names: Sequence[str], found: ClassLabels) -> Cells:
    columns = [*table.columns]
    others = table.drop(columns=found.labels)
    place, ids = _ids(others, names) if others.shape[1] else (0, None)
    if ids is None:
        find_images(others.iloc[:, 0].tolist() if others.shape[1] else [""], names)
        raise AssertionError
    extra = [name for number, name in enumerate(others.columns) if number != place]
    before, behind = found.affixes
    for name in extra:
        alike = before + behind and name.startswith(before) and name.endswith(behind)
        if alike or all(NUMBER.fullmatch(cell) and float(cell) <= 1 for cell in table[name]):
            raise ValueError(f"its column {name} looks like a probability, but is no class.")
    if twice := [cell for cell, n in Counter(others.iloc[:, place]).items() if n > 1]:
        raise ValueError(f"expected every id once, got {some(twice)} twice.")
    classes = {columns.index(label): number for number, label in enumerate(found.labels)}
    return Probabilities(
        f"ids in {others.columns[place]} are {ids.description}; a probability for each class in "
        f"{some(found.labels)} ({found.description}){kept(extra)}",
        np.array(ids.rows),
        {**classes},
    )
