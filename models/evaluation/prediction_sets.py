"""Prediction sets: the classes that an image may have, calibrated to hold the true one (APS)."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.evaluation.predictions import images_at_once

LEVEL = 0.9  # of the sets that tables and exported files have
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, LEVEL, 0.95, 0.99)
MOST_NAMED = 100  # classes of a set that a table names
ALL = 1.0  # a threshold that no score exceeds, so that every class is in every set
NONE = -1.0  # one that every score exceeds


class SetCounts(NamedTuple):
    """What the sets of N images are, for each of `LEVELS`, and then for the thresholds by class.

    Attributes:
        sizes: Number of classes in the set of each image, (L + 1, N).
        hits: Whether its true class is among them, (L + 1, N).
    """

    sizes: Tensor
    hits: Tensor


class SetThresholds(NamedTuple):
    """Largest scores of the classes in a set; see `set_scores`.

    Attributes:
        overall: For each of `LEVELS`: of all images, at least this share is to have its true class
            in its set.
        by_class: For each class, (K,), at `LEVEL`: the same of the images of this class alone. It
            is `ALL` for a class that has too few images, and `NONE` for one that has none, as those
            that were left out of the training.
    """

    overall: tuple[float, ...]
    by_class: tuple[float, ...]

    def sets(self, logits: Tensor, level: float = LEVEL, by_class: bool = False) -> Tensor:
        """Which classes are in the set of each image, (N, K), bool; one class or more.

        Args:
            logits: (N, K).
            level: One of `LEVELS`.
            by_class: Whether to use the thresholds of the classes, those of `LEVEL`.
        """
        limit = torch.tensor(self.by_class if by_class else self.overall[LEVELS.index(level)])
        parts = [_members(chunk, limit.double()) for chunk in logits.split(images_at_once(logits))]
        return torch.cat(parts) if parts else logits.bool()

    def counts(self, logits: Tensor, labels: Tensor) -> SetCounts:
        """What the sets of some images are; with many classes, the sets would not fit into memory.

        Args:
            logits: (N, K).
            labels: True classes, (N,).
        """
        limits = [torch.tensor(level) for level in (*self.overall, self.by_class)]
        sizes, hits, at_once = [], [], images_at_once(logits)
        for chunk, true in zip(logits.split(at_once), labels.split(at_once), strict=True):
            scores = set_scores(chunk)
            members = [scores <= limit.double() for limit in limits]
            sizes.append(torch.stack([each.sum(dim=1) for each in members]))
            hits.append(torch.stack([each.gather(1, true[:, None])[:, 0] for each in members]))
        return SetCounts(torch.cat(sizes, dim=1), torch.cat(hits, dim=1))


def fit_set_thresholds(logits: Tensor, labels: Tensor) -> SetThresholds:
    """Split conformal prediction (Vovk et al., 2005) with adaptive scores (Romano et al., 2020).

    If these images and later ones are drawn in the same way, a set holds the true class with a
    probability of at least the level (`by_class`: Mondrian, for each class by itself). It does not
    hold quite so surely if the images have also chosen the checkpoint, as those of a validation do.

    Args:
        logits: (N, K), of images that the network was not trained on.
        labels: True classes, (N,).
    """
    size = images_at_once(logits)
    parts = zip(logits.split(size), labels.split(size), strict=True)
    scores = torch.cat([label_scores(chunk, true) for chunk, true in parts])
    sizes = labels.bincount(minlength=logits.shape[1]).tolist()
    of_classes = scores[labels.argsort(stable=True)].split(sizes)
    return SetThresholds(
        tuple(conformal_quantile(scores, level) for level in LEVELS),
        tuple(conformal_quantile(own, LEVEL) if len(own) else NONE for own in of_classes),
    )


def set_scores(logits: Tensor) -> Tensor:
    """Adaptive scores (Romano et al., 2020): the probability of all more probable classes, (N, K).

    They are in [0, 1], and 0 for the most probable class, which is therefore in every set. There is
    no random part: an image has the same set each time. Of equal logits, the first class comes
    first.

    Args:
        logits: (N, K).
    """
    probabilities = logits.double().softmax(dim=1)
    return scores_of_ranked(*probabilities.sort(dim=1, descending=True, stable=True))


def scores_of_ranked(ranked: Tensor, order: Tensor) -> Tensor:
    """The same from probabilities in descending order, (N, K), and their classes, (N, K)."""
    above = (ranked.cumsum(dim=1) - ranked).clamp(0.0, ALL)
    return torch.zeros_like(above).scatter(1, order, above)


def label_scores(logits: Tensor, labels: Tensor) -> Tensor:
    """The scores of the labels alone, (N,): the same numbers as of `set_scores`, twice as fast.

    Args:
        logits: (N, K), on the CPU.
        labels: True classes, (N,).
    """
    probabilities = logits.double().softmax(dim=1)
    own = probabilities.gather(1, labels[:, None])
    first = torch.arange(logits.shape[1]) < labels[:, None]  # of equal ones, they come before
    more = (probabilities > own) | (first & (probabilities == own))
    # NumPy sorts without indices, and so much faster.
    ranked = torch.from_numpy(np.sort(probabilities.numpy(), axis=1)[:, ::-1].copy())
    above = (ranked.cumsum(dim=1) - ranked).clamp(0.0, ALL)
    return above.gather(1, more.sum(dim=1, keepdim=True))[:, 0]


def conformal_quantile(scores: Tensor, level: float) -> float:
    """The k-th smallest of n scores, k = ceil((n + 1) level); `ALL` if there are too few."""
    rank = ceil((len(scores) + 1) * level - 1e-9)  # not 10 for (9 + 1) x 0.9, which is 9.000…02
    return float(scores.kthvalue(rank).values) if rank <= len(scores) else ALL


def set_names(members: Tensor, class_names: Sequence[str]) -> list[str]:
    """The names of the classes in each set, in their order, with a bar between two: `cat|dog`.

    Of a set of more than `MOST_NAMED` classes, the number of the others follows: `cat|dog|… 98`.
    """
    rows, columns = members.nonzero(as_tuple=True)
    ends = rows.bincount(minlength=len(members)).cumsum(0).tolist()
    listed: list[Any] = [class_names[k] for k in columns.tolist()]
    names = []
    for start, end in pairwise([0, *ends]):
        own, more = listed[start:end], end - start - MOST_NAMED
        names.append("|".join(own if more <= 0 else [*own[:MOST_NAMED], f"… {more:,}"]))
    return names


def halves(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of two halves of the images, each with half of the images of a class."""
    order = labels.argsort(stable=True)
    return order[::2], order[1::2]


def _members(logits: Tensor, limit: Tensor) -> Tensor:
    return set_scores(logits) <= limit.to(logits.device)
