"""Result of a variation of an ablation: its finished runs, compared with those of the base."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lightning_app.store.course import Course
from models.evaluation.paired_test import PairedTest, paired_test
from models.evaluation.student import student_interval


@dataclass(frozen=True)
class VariationResult:
    """A variation on the images that it shares with the base.

    Attributes:
        name: Its name.
        seeds: Seeds of its finished runs.
        labels: Classes of the images, (N,).
        predicted: Predictions of each run, (seeds, N).
        base_correct: Which images each run of the base classifies correctly, (base runs, N).
        left_out: Number of images that only one of the two was scored on.
        course: Losses, accuracies and times of its runs over the epochs.
        validated_on: Digest of its validation images; empty if unknown.
        peak_memory: Largest memory of training in MiB, of all its runs; 0 if unknown.
        parameters: Parameters of the network.
        trainable: Those of them that train in the last epoch.
        excluded: Classes that it was trained without.
        is_base: Whether it is the base itself.
        part: Which part of its images this is about, if not all.
    """

    name: str
    seeds: list[int]
    labels: np.ndarray
    predicted: np.ndarray
    base_correct: Tensor
    left_out: int
    course: Course
    validated_on: str
    peak_memory: float
    parameters: int
    trainable: int
    excluded: list[str]
    is_base: bool
    part: str = ""

    @property
    def title(self) -> str:
        """Name of its row in a table."""
        return f"{self.name}: {self.part}" if self.part else self.name

    @property
    def correct(self) -> Tensor:
        """Which predictions are correct, (seeds, N)."""
        return torch.from_numpy(self.predicted == self.labels)

    @property
    def scores(self) -> list[float]:
        """Accuracy of each run, in [0, 1]."""
        return self.correct.double().mean(dim=1).tolist()

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return float(np.mean(self.scores))

    @property
    def base_mean(self) -> float:
        """Mean accuracy of the base on the same images."""
        return float(self.base_correct.double().mean())

    @cached_property
    def against_base(self) -> PairedTest | None:
        """Paired test against the base on the same images; None for the base itself."""
        return None if self.is_base else paired_test(self.base_correct, self.correct)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over seeds; see `student_interval`."""
        return student_interval(self.scores)

    def on_known_classes(self) -> "VariationResult | None":
        """The same on the classes that it was trained on; None if these are all classes or none."""
        known = ~np.isin(self.labels, self.excluded)
        if self.is_base or known.all() or not known.any():
            return None
        return replace(
            self,
            labels=self.labels[known],
            predicted=self.predicted[:, known],
            base_correct=self.base_correct[:, torch.from_numpy(known)],
            part="other classes",
        )
