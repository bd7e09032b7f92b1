"""What the finished runs of an ablation add up to."""

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

from lightning_app.store.predictions import SplitName, read_predictions
from lightning_app.store.run_facts import class_names_of, splits_of
from lightning_app.store.stored_run import StoredRun
from models.evaluation.paired_test import CONFIDENCE, PairedTest, paired_test

EXCLUDED = "data.options.exclude_classes"  # parameter of a run


@dataclass(frozen=True)
class Outcome:
    """A variation, and how it did on the images that it shares with the base.

    Attributes:
        name: What it is called.
        seeds: Of its finished runs.
        labels: Classes of the images, (N,).
        predicted: What each run says, (seeds, N).
        base: Which of the images each run of the base has right, (runs, N).
        left_out: Images of the base's, or its own, that the other has not.
        minutes: That a run trained, without validation and pictures; the median over the seeds.
        epoch_seconds: Of an epoch's training, the median; NaN if unknown.
        parameters: Of the network.
        trainable: Of these, those that train in the last epoch.
        excluded: Classes that it was trained without.
        is_base: Whether it is the base itself.
        part: Which of its images it is about, if not about all.
    """

    name: str
    seeds: list[int]
    labels: np.ndarray
    predicted: np.ndarray
    base: Tensor
    left_out: int
    minutes: float
    epoch_seconds: float
    parameters: int
    trainable: int
    excluded: list[str]
    is_base: bool
    part: str = ""

    @property
    def row(self) -> str:
        """What its row of a table is called."""
        return f"{self.name}: {self.part}" if self.part else self.name

    @property
    def right(self) -> Tensor:
        """Which predictions are right, (seeds, N)."""
        return torch.from_numpy(self.predicted == self.labels)

    @property
    def scores(self) -> list[float]:
        """Accuracy of each run, in [0, 1]."""
        return self.right.double().mean(dim=1).tolist()

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return float(np.mean(self.scores))

    @property
    def base_mean(self) -> float:
        """Mean accuracy of the base on the same images."""
        return float(self.base.double().mean())

    @cached_property
    def against_base(self) -> PairedTest | None:
        """Against the base on the same images; None for the base itself."""
        return None if self.is_base else paired_test(self.base, self.right)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over seeds (Student's t).

        NaN with a single seed, and if all happen to score the same: that they would always do so
        is the last thing to conclude.
        """
        count = len(self.scores)
        if len(set(self.scores)) < 2:
            return math.nan, math.nan
        spread = float(np.std(self.scores, ddof=1))
        reach = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * spread / math.sqrt(count)
        return max(self.mean - reach, 0.0), min(self.mean + reach, 1.0)

    def on_known_classes(self) -> "Outcome | None":
        """The same on the images of the classes that it was trained on, if these are a part."""
        known = ~np.isin(self.labels, self.excluded)
        if self.is_base or known.all() or not known.any():
            return None
        return replace(
            self,
            labels=self.labels[known],
            predicted=self.predicted[:, known],
            base=self.base[:, torch.from_numpy(known)],
            part="other classes",
        )


@dataclass(frozen=True)
class Results:
    """All variations with a finished run, the base first.

    Attributes:
        split: Images that they are compared on.
        outcomes: Of each variation; after one that was trained without some classes comes what it
            did on the others.
        class_names: In the order of the network's outputs.
        notes: What a reader must know: who was tested on other images than the base.
    """

    split: SplitName
    outcomes: list[Outcome]
    class_names: list[str]
    notes: list[str]

    @property
    def variations(self) -> list[Outcome]:
        """One outcome a variation."""
        return [outcome for outcome in self.outcomes if not outcome.part]


def collect(finished: Sequence[tuple[str, int, StoredRun]], split: SplitName) -> Results:
    """Score the variations, each on the images that it shares with the base.

    Args:
        finished: Variation, seed and run, in the order of the plan; the first variation is the
            base.
        split: Images to compare on.

    Raises:
        ValueError: If the runs of the base share no image.
    """
    runs: dict[str, list[tuple[int, StoredRun]]] = {}
    for name, seed, record in finished:
        runs.setdefault(name, []).append((seed, record))
    base, notes = next(iter(runs.values())), []
    outcomes: list[Outcome] = []
    for name, own in runs.items():
        try:
            outcome = _outcome(name, own, base, split)
        except ValueError as error:
            if own is base:
                raise
            notes.append(f"{name}: {error}")
            continue
        if outcome.left_out:
            notes.append(
                f"{name}: {outcome.left_out} images are left out, which not both it and the base "
                "have; what it says is of the others."
            )
        outcomes += [part for part in (outcome, outcome.on_known_classes()) if part]
    return Results(split, outcomes, class_names_of(splits_of(finished[0][2])), notes)


def _outcome(
    name: str, own: list[tuple[int, StoredRun]], base: list[tuple[int, StoredRun]], split: SplitName
) -> Outcome:
    is_base, records = own is base, [record for _, record in own]
    others = [] if is_base else [record for _, record in base]
    answers = read_predictions([*records, *others], split)
    metrics, times = records[0].metrics, [_times(record) for record in records]
    return Outcome(
        name,
        [seed for seed, _ in own],
        answers.labels,
        answers.predicted[: len(records)],
        answers.correct if is_base else answers.correct[len(records) :],
        answers.left_out,
        median(sum(seconds) / 60 for seconds in times),
        median(median(seconds) if seconds else math.nan for seconds in times),
        int(metrics.get("params/total", 0)),
        int(metrics.get("params/trainable", 0)),
        ast.literal_eval(records[0].params.get(EXCLUDED, "[]")),
        is_base,
    )


def _times(record: StoredRun) -> list[float]:
    """Seconds that each epoch trained."""
    return list(record.history("time/epoch").values())
