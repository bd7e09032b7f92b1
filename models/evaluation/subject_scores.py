"""Scores of the evidence for a class: how much of it is on the subject, against chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import wilcoxon
from torch import Tensor

from models.evaluation.paired_test import holm
from models.evaluation.wilson import NORMAL_95

FEWEST = 8  # images of a class that are tested
DOUBT = 0.05


class SubjectScore(NamedTuple):
    """Where the evidence of some images is.

    Attributes:
        name: Name of the class; empty for all images.
        images: Number of images with evidence and a known subject.
        inside: Mean share of the evidence inside the subject.
        low: Lower end of its 95 % interval.
        high: Upper end.
        area: Mean share of the image that the subject covers: the share inside by chance.
        pointing: Share of the images whose strongest evidence is inside (the pointing game).
        p_value: Of less evidence inside than by chance (Wilcoxon), adjusted for all classes
            (Holm); NaN for fewer than `FEWEST` images.
    """

    name: str
    images: int
    inside: float
    low: float
    high: float
    area: float
    pointing: float
    p_value: float

    @property
    def is_elsewhere(self) -> bool:
        """Whether less of the evidence is inside than by chance."""
        return self.p_value < DOUBT

    @property
    def is_by_chance(self) -> bool:
        """Whether the interval does not exclude that it is as much as by chance, or less."""
        return self.low <= self.area


def subject_scores(
    inside: Tensor, hits: Tensor, area: Tensor, labels: Tensor, class_names: Sequence[str]
) -> list[SubjectScore]:
    """Scores of all images, and then of each class that has some.

    Args:
        inside: Share of the evidence inside the subject, (N,); NaN without evidence.
        hits: Whether the strongest evidence is inside, (N,).
        area: Share of the image that the subject covers, (N,).
        labels: Class of each image, (N,).
        class_names: Names of the classes.
    """
    columns = [values.double().numpy() for values in (inside, hits, area)]
    known, classes = ~np.isnan(columns[0]), labels.numpy()
    parts = {"": known} | {name: known & (classes == k) for k, name in enumerate(class_names)}
    found = [
        _score(name, *(values[rows] for values in columns))
        for name, rows in parts.items()
        if rows.any()
    ]
    tested = [k for k, score in enumerate(found) if k and not np.isnan(score.p_value)]
    for k, p_value in zip(tested, holm([found[k].p_value for k in tested]), strict=True):
        found[k] = found[k]._replace(p_value=p_value)
    return found


def _score(name: str, inside: np.ndarray, hits: np.ndarray, area: np.ndarray) -> SubjectScore:
    number, mean = len(inside), float(inside.mean())
    reach = NORMAL_95 * float(inside.std(ddof=1)) / number**0.5 if number > 1 else 1.0
    ends = (max(mean - reach, 0.0), min(mean + reach, 1.0))
    p_value = float("nan")
    if number >= FEWEST and (inside != area).any():
        p_value = float(wilcoxon(inside, area, alternative="less")[1])  # pyright: ignore
    return SubjectScore(name, number, mean, *ends, float(area.mean()), float(hits.mean()), p_value)
