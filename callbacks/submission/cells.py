"""Cells of a submission: which columns are filled in, and with what."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Cells(Protocol):
    """Columns that are filled in; see `Answers` and `Probabilities`."""

    @property
    def description(self) -> str:
        """What they are, for the user."""
        ...

    @property
    def rows(self) -> np.ndarray:
        """Row of the image in the predictions, one for each row of the sample."""
        ...

    def columns(self, probabilities: np.ndarray) -> dict[int, list[str]]:
        """Texts of each column that is filled in, by its number.

        Args:
            probabilities: (N, K), one row per image.
        """
        ...


@dataclass(frozen=True, eq=False)
class Answers:
    """A column with the most probable class of an image, or several, separated by blanks.

    Attributes:
        description: What they are, for the user.
        rows: Row of the image in the predictions, one for each row of the sample.
        column: Number of the column.
        labels: What stands for each class.
        top_k: Number of classes in an answer.
    """

    description: str
    rows: np.ndarray
    column: int
    labels: list[str]
    top_k: int = 1

    def columns(self, probabilities: np.ndarray) -> dict[int, list[str]]:
        """See `Cells`."""
        ranked = (-probabilities).argsort(axis=1, kind="stable")[:, : self.top_k]
        texts = [" ".join(self.labels[number] for number in row) for row in ranked]
        return {self.column: [texts[row] for row in self.rows]}


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Columns with the probability of a class for an image.

    Attributes:
        description: What they are, for the user.
        rows: Row of the image in the predictions, one for each row of the sample.
        classes: Class of each row, by number of the column, or one class for all rows.
    """

    description: str
    rows: np.ndarray
    classes: dict[int, np.ndarray | int]

    def columns(self, probabilities: np.ndarray) -> dict[int, list[str]]:
        """See `Cells`."""
        return {
            column: [f"{value:.8g}" for value in probabilities[self.rows, classes]]
            for column, classes in self.classes.items()
        }
