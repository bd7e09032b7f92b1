"""Likely label errors of named images, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from callbacks.plots.drawing.texts import counted
from models.evaluation.label_errors import LabelErrors, find_label_errors
from models.evaluation.label_errors.confident_learning import Chunks

DIGITS = 4  # of a probability
# Share of labels to which another class is preferred. Of the ten datasets of Northcutt, Athalye and
# Mueller (2021) the worst has 10 % of errors; a network that learned little doubts most labels.
MAX_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Suspects:
    """N images and how likely their labels are wrong.

    Attributes:
        splits: Split of each image.
        indices: Position of each image in the source of its split.
        names: Name of each image.
        labels: Labels in the dataset, (N,).
        errors: How likely these are wrong.
        shown_split: What tables and captions call the split of all images; None for `splits`.
        note: Why some of the images, which have probabilities of their own, have no likely errors.
    """

    splits: Sequence[str]
    indices: Sequence[int]
    names: Sequence[str]
    labels: Tensor
    errors: LabelErrors
    shown_split: str | None = None
    note: str = ""

    @property
    def believable(self) -> bool:
        """Whether so few labels are doubted that it may be the labels, and not the network."""
        return float(self.errors.disagrees.double().mean()) <= MAX_SHARE

    @property
    def likely(self) -> Tensor:
        """Which labels are likely errors, (N,): none if the result is not believable."""
        return self.errors.likely & self.believable

    @property
    def doubt(self) -> str:
        """Why the result is not believable."""
        number, total = int(self.errors.disagrees.sum()), len(self.names)
        return (
            f"another class is preferred for {number:,} of {counted(total, 'image')} "
            f"({number / total:.0%}), more than {MAX_SHARE:.0%}, so the network has probably "
            "learned too little to tell"
        )

    def __add__(self, other: "Suspects") -> "Suspects":
        """The images of both, whose probabilities may come from different networks.

        Those of a network that is not believable have no likely errors, whatever the other is.
        """
        both = (self, other)
        errors = [part.errors._replace(likely=part.likely) for part in both]
        notes = [f"none of {p.splits[0]}, since {p.doubt}" for p in both if not p.believable]
        return Suspects(
            [*self.splits, *other.splits],
            [*self.indices, *other.indices],
            [*self.names, *other.names],
            torch.cat([self.labels, other.labels]),
            LabelErrors(*map(torch.cat, zip(*errors, strict=True))),
            note="; ".join(notes),
        )

    def ranking(self, class_names: Sequence[str], num_rows: int) -> dict[str, list[Any]]:
        """Columns of the images with the lowest probability of their label, that one first.

        `confident` is whether confident learning counts the label as an error; if the result is
        not believable, it counts none. Then, and with a note, the column `doubt` says why.
        """
        order = self.errors.order()[:num_rows]
        columns = self._columns(class_names, order, range(1, len(order) + 1))
        columns |= {"confident": self.likely[order].tolist()}
        why = self.note if self.believable else self.doubt
        return columns | {"doubt": [why] * len(order)} if why else columns

    def fixes(self, class_names: Sequence[str]) -> str:
        """The likely label errors as a CSV file for `options.label_fixes`."""
        order = self.errors.order()
        ranks = self.likely[order].nonzero().flatten()
        columns = self._columns(class_names, order[ranks], (ranks + 1).tolist())
        return pd.DataFrame(columns).to_csv(index=False)

    def _columns(
        self, class_names: Sequence[str], rows: Tensor, ranks: Sequence[int]
    ) -> dict[str, list[Any]]:
        errors, chosen = self.errors, rows.tolist()
        return {
            "image": [self.names[row] for row in chosen],
            "label": [class_names[label] for label in self.labels[rows].tolist()],
            "suggested": [class_names[label] for label in errors.suggested[rows].tolist()],
            "label_probability": _rounded(errors.label_probability[rows]),
            "suggested_probability": _rounded(errors.suggested_probability[rows]),
            "split": [self.shown_split or self.splits[row] for row in chosen],
            "rank": list(ranks),
        }


def find_suspects(
    sources: Mapping[str, Any],
    indices: Mapping[str, Tensor],
    labels: Tensor,
    probabilities: Tensor | Chunks,
) -> Suspects:
    """Find likely label errors, and name the images.

    Args:
        sources: The images of each split.
        indices: Positions of the N images in the sources, by split, in the order of the labels.
        labels: Labels in the dataset, (N,).
        probabilities: See `find_label_errors`.
    """
    places = {split: chosen.tolist() for split, chosen in indices.items()}
    return Suspects(
        splits=[split for split, chosen in places.items() for _ in chosen],
        indices=[index for chosen in places.values() for index in chosen],
        names=[sources[split].names[index] for split, chosen in places.items() for index in chosen],
        labels=labels,
        errors=find_label_errors(probabilities, labels),
    )


def copy_groups(sources: Mapping[str, Any], indices: Mapping[str, Tensor]) -> Tensor | None:
    """A number for each image, (N,), equal for copies of one original; None without copies.

    Args:
        sources: The images of each split.
        indices: See `find_suspects`.
    """
    parts = [sources[split].subset(chosen.numpy()) for split, chosen in indices.items()]
    if not any(part.groups for part in parts):
        return None
    groups = [group for part in parts for group in (part.groups or part.names)]
    return torch.from_numpy(pd.factorize(pd.Series(groups, dtype=object))[0])


def _rounded(probabilities: Tensor) -> list[float]:
    return probabilities.double().round(decimals=DIGITS).tolist()
