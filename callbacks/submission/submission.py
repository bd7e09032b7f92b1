"""Submission: a sample submission, understood, and filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from callbacks.submission.cells import Cells
from callbacks.submission.image_ids import some
from callbacks.submission.read_cells import read_cells


@dataclass(frozen=True, eq=False)
class Submission:
    """A sample submission whose form is known.

    Attributes:
        table: The sample, as text.
        cells: What is filled in.
    """

    table: pd.DataFrame
    cells: Cells

    @property
    def description(self) -> str:
        """What is filled in, in one line."""
        return self.cells.description

    def fill(self, probabilities: np.ndarray) -> pd.DataFrame:
        """The sample with predictions: its rows, their order and all other columns stay.

        Args:
            probabilities: Of the classes, (N, K), in the order of the images.
        """
        filled = self.table.copy()
        for column, texts in self.cells.columns(np.asarray(probabilities)).items():
            filled.isetitem(column, texts)
        return filled


def read_submission(sample: Path, names: Sequence[str], class_names: Sequence[str]) -> Submission:
    """Read a sample submission; its columns and cells decide what is filled in.

    One column has the ids of the images: paths, file names, with their ending or without; for
    rows of a pixel CSV their number, counted from 0 or 1. Then there is

    - one row per image, and a column for the answer: a class, by name or number, or several of
      them separated by blanks, the most probable first;
    - or one row per image, and a column for the probability of each class: `cat`, `prob_cat`, `0`,
      `class_1` …, in any order; of two classes, one column may be enough;
    - or one row per image and class, whose class is in a column, or part of the id: `img1_cat`.

    Other columns stay as they are.

    Args:
        sample: A CSV file with a header.
        names: Name of each image, (N,).
        class_names: Names of the K classes.

    Raises:
        ValueError: If the file is no such table, its form is not clear, an id does not belong to
            exactly one image, or an image or class has no cell.
    """
    table = _read(sample)
    try:
        cells = read_cells(table, names, class_names)
        if missing := sorted(set(range(len(names))) - set(cells.rows.tolist())):
            left = some([names[row] for row in missing])
            raise ValueError(f"expected a row for every image; there is none for {left}.")
    except ValueError as error:
        raise ValueError(f"{sample}: {error}") from error
    return Submission(table, cells)


def fill_submission(
    sample: Path, names: Sequence[str], probabilities: np.ndarray, class_names: Sequence[str]
) -> pd.DataFrame:
    """Fill the probabilities of the classes, (N, K), into a sample; see `read_submission`."""
    return read_submission(sample, names, class_names).fill(probabilities)


def _read(sample: Path) -> pd.DataFrame:
    try:
        # As text: an id of 007 keeps its zeros, and a class may be called NA.
        table = pd.read_csv(sample, dtype=str, keep_default_na=False, index_col=False)
    except FileNotFoundError as error:
        raise ValueError(f"There is no sample submission {sample}.") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{sample} is not a readable CSV file: {error}") from error
    if table.shape[1] < 2 or table.empty:
        raise ValueError(
            f"{sample}: expected a header and rows of two columns or more, an id and an answer; it "
            f"has {len(table)} rows of {', '.join(table.columns)}."
        )
    return table
