"""Competition submission: predictions in the form of a sample submission."""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

LINE = re.compile(r".+:\d+")  # name of an image in a pixel CSV: file and line
SHOWN = 5  # names that an error lists
SPELLINGS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    lambda path: path.name,
    lambda path: path.stem,
)


def fill_submission(
    sample: Path, names: Sequence[str], predicted: Sequence[int], class_names: Sequence[str]
) -> pd.DataFrame:
    """Fill predictions into a sample submission.

    The rows, their order and the column names stay as in the sample. The first column holds the
    ids: the path of an image, its file name, or its file name without suffix; for a row of a pixel
    CSV its number, counted from 0 or 1. The last column holds the answers; see `wants_numbers`.

    Args:
        sample: A CSV file with a header and two columns.
        names: Name of each image, (N,).
        predicted: Predicted class of each image, (N,).
        class_names: Names of the classes.

    Raises:
        ValueError: If the file is not such a table, an id does not belong to exactly one image or
            occurs twice, or an image has no id.
    """
    table = _read(sample)
    ids = table.iloc[:, 0].tolist()
    if twice := [given for given, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"{sample}: expected every id once, got {_some(twice)} twice.")
    rows = _rows(sample, ids, names)
    if missing := sorted(set(range(len(names))) - set(rows)):
        left = _some([names[row] for row in missing])
        raise ValueError(f"{sample}: expected a row for every image; there is none for {left}.")
    numbers = _has_numbers(table, class_names)
    answers = [predicted[row] for row in rows]
    table.isetitem(table.shape[1] - 1, [str(a) if numbers else class_names[a] for a in answers])
    return table


def wants_numbers(sample: Path, class_names: Sequence[str]) -> bool:
    """Whether answers are class indices, 0 for the first class, instead of class names.

    This is so if the answers of the sample are numbers, and the names of the classes are not.

    Raises:
        ValueError: If the file is not a sample submission.
    """
    return _has_numbers(_read(sample), class_names)


def _has_numbers(table: pd.DataFrame, class_names: Sequence[str]) -> bool:
    named_so = all(name.isdigit() for name in class_names)
    return not named_so and bool(table.iloc[:, -1].str.fullmatch(r"-?\d+(\.0+)?").all())


def _read(sample: Path) -> pd.DataFrame:
    try:
        # As text: an id of 007 keeps its zeros, and a class may be called NA.
        table = pd.read_csv(sample, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise ValueError(f"There is no sample submission {sample}.") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{sample} is not a readable CSV file: {error}") from error
    if table.shape[1] != 2 or table.empty:
        raise ValueError(
            f"{sample}: expected a header and rows of two columns, an id and an answer; it has "
            f"{len(table)} rows of {', '.join(table.columns)}."
        )
    return table


def _rows(sample: Path, ids: Sequence[str], names: Sequence[str]) -> list[int]:
    """Row of each id, by the first of the spellings in which all ids are names of images."""
    if not set(ids) <= set(names) and all(LINE.fullmatch(name) for name in names):
        return _numbered(sample, ids, len(names))
    attempts: list[
        tuple[list[str], list[str]]
    ] = []  # ids that are not a name in this spelling, and the names
    for spell in SPELLINGS:
        spelled = [spell(PurePosixPath(name)) for name in names]
        places = {name: row for row, name in enumerate(spelled)}
        unknown = [given for given in ids if given not in places]
        if not unknown and len(places) < len(names):
            raise ValueError(f"{sample}: its ids are file names that occur in several folders.")
        if not unknown:
            return [places[given] for given in ids]
        attempts.append((unknown, spelled))
    unknown, spelled = min(attempts, key=lambda attempt: len(attempt[0]))
    near = difflib.get_close_matches(unknown[0], spelled, n=3)
    hint = f"Near names: {', '.join(near)}" if near else f"Images: {_some(spelled)}"
    raise ValueError(f"{sample}: there is no image {_some(unknown)}. {hint}.")


def _numbered(sample: Path, ids: Sequence[str], num_rows: int) -> list[int]:
    """Row of each id, if the ids are row numbers."""
    for first in (0, 1):
        rows = {str(first + row): row for row in range(num_rows)}
        if set(ids) <= set(rows):
            return [rows[given] for given in ids]
    raise ValueError(
        f"{sample}: the images are {num_rows} rows of a pixel CSV; expected their row numbers, "
        f"counted from 0 or 1, got {_some(ids)}."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
