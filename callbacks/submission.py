"""Predictions in the form that a competition asks for."""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

LINE = re.compile(r".+:\d+")  # name of a row of pixels: its file and line
SHOWN = 5  # names that an error lists
SPELLINGS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    lambda path: path.name,
    lambda path: path.stem,
)


def fill_submission(
    sample: Path, names: Sequence[str], predicted: Sequence[int], class_names: Sequence[str]
) -> pd.DataFrame:
    """A sample submission with the predictions in the place of its answers.

    Rows, their order, and the names of the columns are those of the sample. The first column holds
    the ids: an image is meant by its path, its file name, or that without the ending; a row of
    pixels, which has no name of its own, by its number, from 0 or from 1. The last column holds the
    answers, in the form of `wants_numbers`.

    Args:
        sample: A CSV file with a header and two columns.
        names: What each image is called, (N,).
        predicted: Predicted class of each image, (N,).
        class_names: Names of the classes.

    Raises:
        ValueError: If the file is no such table, an id is not that of exactly one image, stands
            there twice, or an image has no id.
    """
    table = _read(sample)
    ids = table.iloc[:, 0].tolist()
    if twice := [given for given, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"{sample}: {_some(twice)} stands there twice.")
    rows = _rows(sample, ids, names)
    if missing := sorted(set(range(len(names))) - set(rows)):
        left = _some([names[row] for row in missing])
        raise ValueError(f"{sample}: no row is for {left}; every image needs one.")
    numbers = _has_numbers(table, class_names)
    answers = [predicted[row] for row in rows]
    table.isetitem(table.shape[1] - 1, [str(a) if numbers else class_names[a] for a in answers])
    return table


def wants_numbers(sample: Path, class_names: Sequence[str]) -> bool:
    """Whether a sample is answered by numbers of classes, 0 for the first, not by their names.

    It is if its own answers are numbers, and the classes are not called so.

    Raises:
        ValueError: If the file is no sample.
    """
    return _has_numbers(_read(sample), class_names)


def _has_numbers(table: pd.DataFrame, class_names: Sequence[str]) -> bool:
    named_so = all(name.isdigit() for name in class_names)
    return not named_so and bool(table.iloc[:, -1].str.fullmatch(r"-?\d+(\.0+)?").all())


def _read(sample: Path) -> pd.DataFrame:
    try:
        # As text: an id of 007 stays one, and a class may be called NA.
        table = pd.read_csv(sample, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise ValueError(f"There is no sample submission {sample}.") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{sample} is no CSV file that can be read: {error}") from error
    if table.shape[1] != 2 or table.empty:
        raise ValueError(
            f"{sample}: expected a header and rows of two columns, an id and an answer; it has "
            f"{len(table)} rows of {', '.join(table.columns)}."
        )
    return table


def _rows(sample: Path, ids: Sequence[str], names: Sequence[str]) -> list[int]:
    """The image that each id means: by the most exact of the spellings that knows all ids."""
    if not set(ids) <= set(names) and all(LINE.fullmatch(name) for name in names):
        return _numbered(sample, ids, len(names))
    attempts: list[tuple[list[str], list[str]]] = []  # the ids that a spelling does not know
    for spell in SPELLINGS:
        spelled = [spell(PurePosixPath(name)) for name in names]
        places = {name: row for row, name in enumerate(spelled)}
        unknown = [given for given in ids if given not in places]
        if not unknown and len(places) < len(names):
            raise ValueError(f"{sample}: its ids are names of files that lie in several folders.")
        if not unknown:
            return [places[given] for given in ids]
        attempts.append((unknown, spelled))
    unknown, spelled = min(attempts, key=lambda attempt: len(attempt[0]))
    near = difflib.get_close_matches(unknown[0], spelled, n=3)
    hint = f"Near: {', '.join(near)}" if near else f"Images: {_some(spelled)}"
    raise ValueError(f"{sample}: no image is called {_some(unknown)}. {hint}.")


def _numbered(sample: Path, ids: Sequence[str], num_rows: int) -> list[int]:
    """The row that each id means, if they count the rows."""
    for first in (0, 1):
        rows = {str(first + row): row for row in range(num_rows)}
        if set(ids) <= set(rows):
            return [rows[given] for given in ids]
    raise ValueError(
        f"{sample}: the images are {num_rows} rows of pixels; expected their numbers, from 0 or "
        f"from 1, got {_some(ids)}."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
