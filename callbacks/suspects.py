"""Labels that are probably wrong, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from models.evaluation.label_errors import Suspicion, suspicion

DIGITS = 4  # of a probability
# Of labels that look wrong. Of the ten sets of Northcutt, Athalye and Mueller (2021) the worst has
# 10 %; a network that has hardly learned anything doubts most labels.
MAX_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Suspects:
    """Images, and what speaks against their labels.

    Attributes:
        splits: Split of each image.
        indices: Its place in the source of that split.
        names: What it is called.
        labels: Given classes, (N,).
        found: What speaks against them.
    """

    splits: Sequence[str]
    indices: Sequence[int]
    names: Sequence[str]
    labels: Tensor
    found: Suspicion

    @property
    def believable(self) -> bool:
        """Whether so few labels look wrong that it can be the labels that are."""
        return float(self.found.confident.float().mean()) <= MAX_SHARE

    @property
    def doubt(self) -> str:
        """Why they are not believable."""
        return (
            f"where more than {MAX_SHARE:.0%} of the labels look wrong, the network that judges "
            "them has learned too little"
        )

    def __add__(self, other: "Suspects") -> "Suspects":
        """The images of both, which may have been judged in different ways."""
        return Suspects(
            [*self.splits, *other.splits],
            [*self.indices, *other.indices],
            [*self.names, *other.names],
            torch.cat([self.labels, other.labels]),
            Suspicion(*map(torch.cat, zip(self.found, other.found, strict=True))),
        )

    def ranking(self, class_names: Sequence[str], num_rows: int) -> dict[str, list[Any]]:
        """The most suspicious images as columns, with `confident`: taken for another class."""
        order = self.found.order()[:num_rows]
        columns = self._columns(class_names, order, range(1, len(order) + 1))
        return columns | {"confident": self.found.confident[order].tolist()}

    def fixes(self, class_names: Sequence[str]) -> str:
        """The images that confident learning takes for another class, as `options.label_fixes`."""
        order = self.found.order()
        ranks = self.found.confident[order].nonzero().flatten()
        columns = self._columns(class_names, order[ranks], (ranks + 1).tolist())
        return pd.DataFrame(columns).to_csv(index=False)

    def _columns(
        self, class_names: Sequence[str], rows: Tensor, ranks: Sequence[int]
    ) -> dict[str, list[Any]]:
        found, chosen = self.found, rows.tolist()
        return {
            "image": [self.names[row] for row in chosen],
            "label": [class_names[label] for label in self.labels[rows].tolist()],
            "suggested": [class_names[label] for label in found.suggested[rows].tolist()],
            "label_probability": _rounded(found.given[rows]),
            "suggested_probability": _rounded(found.probability[rows]),
            "split": [self.splits[row] for row in chosen],
            "rank": list(ranks),
        }


def suspects_of(
    sources: Mapping[str, Any], places: Mapping[str, Tensor], labels: Tensor, said: Tensor
) -> Suspects:
    """What probabilities say against the labels of images.

    Args:
        sources: The images of each split.
        places: Indices of the images that are judged, by split, in the order of the labels.
        labels: Given classes, (N,).
        said: Probabilities of the classes, (N, K), from what has not learned from the image.
    """
    rows = [(split, index) for split, indices in places.items() for index in indices.tolist()]
    return Suspects(
        splits=[split for split, _ in rows],
        indices=[index for _, index in rows],
        names=[sources[split].names[index] for split, index in rows],
        labels=labels,
        found=suspicion(said, labels),
    )


def copies_of(sources: Mapping[str, Any], places: Mapping[str, Tensor]) -> Tensor | None:
    """A number for what each image is a copy of, (N,); None if each stands for itself.

    Args:
        sources: The images of each split.
        places: See `suspects_of`.
    """
    parts = [sources[split].subset(indices.numpy()) for split, indices in places.items()]
    if not any(part.groups for part in parts):
        return None
    groups = [group for part in parts for group in (part.groups or part.names)]
    return torch.from_numpy(np.unique(groups, return_inverse=True)[1])


def _rounded(probabilities: Tensor) -> list[float]:
    return probabilities.double().round(decimals=DIGITS).tolist()
