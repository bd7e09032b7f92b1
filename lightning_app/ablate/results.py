"""What the finished runs of an ablation add up to."""

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from scipy.stats import t
from torch import Tensor

from lightning_app.compare.answers import Answers, Split, read_answers
from lightning_app.report.facts import class_names, splits_of
from lightning_app.report.record import Record
from models.paired_test import CONFIDENCE, PairedTest, paired_test

EXCLUDED = "data.options.exclude_classes"  # parameter of a run


@dataclass(frozen=True)
class Outcome:
    """A variation, and how it did.

    Attributes:
        name: What it is called.
        seeds: Of its finished runs.
        scores: Accuracy of each, in [0, 1].
        base_mean: Mean accuracy of the base on the same images.
        against_base: Against the base on the same images; None for the base itself.
        minutes: That a run trained, without validation and pictures; the median over the seeds.
        epoch_seconds: Of an epoch's training, the median; NaN if unknown.
        parameters: Of the network.
        trainable: Of these, those that train in the last epoch.
        excluded: Classes that it was trained without.
    """

    name: str
    seeds: list[int]
    scores: list[float]
    base_mean: float
    against_base: PairedTest | None
    minutes: float
    epoch_seconds: float
    parameters: int
    trainable: int
    excluded: list[str]

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return float(np.mean(self.scores))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over seeds (Student's t); NaN with a single seed."""
        count = len(self.scores)
        if count < 2:
            return math.nan, math.nan
        reach = float(t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.std(self.scores, ddof=1))
        reach /= math.sqrt(count)
        return max(self.mean - reach, 0.0), min(self.mean + reach, 1.0)


@dataclass(frozen=True)
class Results:
    """All variations with a finished run, the base first.

    Attributes:
        split: Images that they are compared on.
        outcomes: Of each variation; one that was trained without some classes has another one
            after it, on the images of the classes that it knows.
        answers: What all runs said of the images that they share.
        rows: Rows of `answers` that belong to each variation.
        class_names: In the order of the network's outputs.
    """

    split: Split
    outcomes: list[Outcome]
    answers: Answers
    rows: dict[str, list[int]]
    class_names: list[str]


def collect(finished: Sequence[tuple[str, int, Record]], split: Split) -> Results:
    """Score the variations.

    Args:
        finished: Variation, seed and run, in the order of the plan; the first variation is the
            base.
        split: Images to compare on.

    Raises:
        ValueError: If the runs share no image.
    """
    answers = read_answers([record for _, _, record in finished], split)
    rows: dict[str, list[int]] = {}
    for row, (name, _, _) in enumerate(finished):
        rows.setdefault(name, []).append(row)
    base, outcomes = answers.right[next(iter(rows.values()))], []
    for name, own in rows.items():
        runs, right = [finished[row] for row in own], answers.right[own]
        outcomes.append(_outcome(name, runs, right, base, is_base=not outcomes))
        known = ~np.isin(answers.labels, outcomes[-1].excluded)
        if len(outcomes) > 1 and 0 < known.sum() < len(known):
            others = _outcome(f"{name}: other classes", runs, right[:, known], base[:, known])
            outcomes.append(replace(others, excluded=[]))
    names = class_names(splits_of(finished[0][2]))
    return Results(split, outcomes, answers, rows, names)


def _outcome(
    name: str,
    runs: Sequence[tuple[str, int, Record]],
    right: Tensor,
    base: Tensor,
    is_base: bool = False,
) -> Outcome:
    records = [record for _, _, record in runs]
    metrics, times = records[0].metrics, [_times(record) for record in records]
    return Outcome(
        name,
        [seed for _, seed, _ in runs],
        right.double().mean(dim=1).tolist(),
        float(base.double().mean()),
        None if is_base else paired_test(base, right),
        median(sum(seconds) / 60 for seconds in times),
        median(median(seconds) if seconds else math.nan for seconds in times),
        int(metrics.get("params/total", 0)),
        int(metrics.get("params/trainable", 0)),
        ast.literal_eval(records[0].params.get(EXCLUDED, "[]")),
    )


def _times(record: Record) -> list[float]:
    """Seconds that each epoch trained."""
    return list(record.history("time/epoch").values())
