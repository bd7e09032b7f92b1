"""Answers: a row per image, with one cell for a class, several, or a probability."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from callbacks.submission.cells import Answers, Cells, Probabilities
from callbacks.submission.class_labels import labels_of_answers
from callbacks.submission.filled_column import NUMBER, kept, only_column

FRACTION = re.compile(r"0?\.\d*[1-9]\d*")


def answer_cells(
    table: pd.DataFrame,
    rows: np.ndarray,
    rest: Sequence[int],
    class_names: Sequence[str],
    head: str,
) -> Cells:
    """A row per image, with an answer in one column."""
    column = only_column(table, rest, "answer")
    name, answers = str(table.columns[column]), table.iloc[:, column].tolist()
    stay = kept([str(table.columns[other]) for other in rest if other != column])
    if any(FRACTION.fullmatch(answer) for answer in answers) or name.lower().startswith("prob"):
        return _one_probability(name, column, rows, class_names, head, stay)
    top_k = (
        max(len(answer.split()) for answer in answers) if _has_lists(answers, class_names) else 1
    )
    words = [word for answer in answers for word in (answer.split() if top_k > 1 else [answer])]
    labels = labels_of_answers(words, class_names)
    top_k = min(top_k, len(class_names))
    several = f"the {top_k} most probable classes" if top_k > 1 else "the most probable class"
    described = f"{head}; {several} in {name} ({labels.description}){stay}"
    return Answers(described, rows, column, labels.labels, top_k)


def _has_lists(answers: Sequence[str], class_names: Sequence[str]) -> bool:
    """Whether answers are several classes, separated by blanks.

    Raises:
        ValueError: If it is not clear.
    """
    several = [answer for answer in answers if len(answer.split()) > 1]
    if not several or {*several} <= {*class_names}:
        return False
    if blank := next((name for name in class_names if " " in name), None):
        if not all(NUMBER.fullmatch(word) for answer in several for word in answer.split()):
            raise ValueError(
                f"its answer {several[0]!r} is no class, and cannot be several classes separated "
                f"by blanks, since the class {blank!r} has a blank in its name."
            )
        return True
    known = {*class_names}
    for answer in several:
        if not all(word in known or word.isdigit() for word in answer.split()):
            raise ValueError(f"its answer {answer!r} is neither a class nor a list of classes.")
    return True


def _one_probability(
    name: str, column: int, rows: np.ndarray, class_names: Sequence[str], head: str, stay: str
) -> Cells:
    named = [number for number, own in enumerate(class_names) if own.lower() in name.lower()]
    if len(class_names) != 2:
        raise ValueError(
            f"its column {name} has probabilities; expected a column or a row for each of the "
            f"{len(class_names)} classes."
        )
    chosen = named[0] if len(named) == 1 else 1
    described = f"{head}; the probability of {class_names[chosen]} in {name}{stay}"
    return Probabilities(described, rows, {column: chosen})
