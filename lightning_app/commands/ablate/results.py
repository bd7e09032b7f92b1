"""Results of an ablation: the finished runs of each variation, compared with the base."""

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

import numpy as np
import torch
from scipy.stats import t
from torch import Tensor

from lightning_app.store.describe_run import class_names_of, peak_memory, splits_of
from lightning_app.store.predictions import SplitName, read_predictions
from lightning_app.store.stored_run import StoredRun
from models.evaluation.paired_test import CONFIDENCE, PairedTest, paired_test

EXCLUDED = "data.options.exclude_classes"  # parameter of a run


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
        minutes: Training time of a run, without validation and pictures; the median over the seeds.
        epoch_seconds: Training time of an epoch, the median; NaN if unknown.
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
    minutes: float
    epoch_seconds: float
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
        """95 % interval of the mean over seeds (Student's t).

        NaN with a single seed, and if all seeds happen to have the same score: an interval of no
        width would promise that every other seed has it too.
        """
        count = len(self.scores)
        if len(set(self.scores)) < 2:
            return math.nan, math.nan
        spread = float(np.std(self.scores, ddof=1))
        reach = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * spread / math.sqrt(count)
        return max(self.mean - reach, 0.0), min(self.mean + reach, 1.0)

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


@dataclass(frozen=True)
class AblationResults:
    """All variations that have a finished run, the base first.

    Attributes:
        split: Images on which they are compared.
        rows: The result of each variation; a variation that was trained without some classes has a
            second one, on the images of the other classes.
        class_names: Classes in the order of the network's outputs.
        notes: Variations that were scored on other images than the base.
    """

    split: SplitName
    rows: list[VariationResult]
    class_names: list[str]
    notes: list[str]

    @property
    def variations(self) -> list[VariationResult]:
        """The rows that are about all images, one per variation."""
        return [row for row in self.rows if not row.part]


def compare_variations(
    finished: Sequence[tuple[str, int, StoredRun]], split: SplitName
) -> AblationResults:
    """Score the variations, each on the images that it shares with the base.

    Args:
        finished: Variation, seed and run, in the order of the plan; the first variation is the
            base.
        split: Images on which to compare.

    Raises:
        ValueError: If the runs of the base share no image.
    """
    runs: dict[str, list[tuple[int, StoredRun]]] = {}
    for name, seed, record in finished:
        runs.setdefault(name, []).append((seed, record))
    base, notes = next(iter(runs.values())), []
    rows: list[VariationResult] = []
    for name, own in runs.items():
        try:
            result = _compare(name, own, base, split)
        except ValueError as error:
            if own is base:
                raise
            notes.append(f"{name}: {error}")
            continue
        if result.left_out:
            notes.append(
                f"{name}: {result.left_out} images are left out because either it or the base was "
                "not scored on them."
            )
        rows += [row for row in (result, result.on_known_classes()) if row]
    return AblationResults(split, rows, class_names_of(splits_of(finished[0][2])), notes)


def _compare(
    name: str, own: list[tuple[int, StoredRun]], base: list[tuple[int, StoredRun]], split: SplitName
) -> VariationResult:
    is_base, records = own is base, [record for _, record in own]
    others = [] if is_base else [record for _, record in base]
    shared = read_predictions([*records, *others], split)
    metrics = records[0].metrics
    times = [list(record.history("time/epoch").values()) for record in records]
    return VariationResult(
        name,
        [seed for seed, _ in own],
        shared.labels,
        shared.predicted[: len(records)],
        shared.correct if is_base else shared.correct[len(records) :],
        shared.left_out,
        median(sum(seconds) / 60 for seconds in times),
        median(median(seconds) if seconds else math.nan for seconds in times),
        max(peak_memory(record)[0] for record in records),
        int(metrics.get("params/total", 0)),
        int(metrics.get("params/trainable", 0)),
        ast.literal_eval(records[0].params.get(EXCLUDED, "[]")),
        is_base,
    )
