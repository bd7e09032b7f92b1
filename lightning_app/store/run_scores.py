"""Scores of a stored run: its metrics, the classes with the lowest F1, and its confusions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lightning_app.store.describe_run import OUT_OF_FOLD, SplitSummary
from lightning_app.store.evaluations import (
    Evaluation,
    checkpoint_label,
    evaluations_of,
    latest_evaluation,
)
from lightning_app.store.stored_run import StoredRun
from models.evaluation.metrics import METRICS, Metric
from models.evaluation.wilson import wilson

SPLITS = ("test", "val", OUT_OF_FOLD)
LAST = "last"  # checkpoint of the end of a fit
ROUNDING = 1e-6  # metrics are computed in float32, tables in float64
NO_INTERVAL = {"f1_low": math.nan, "f1_high": math.nan}
SHOWN_CLASSES = 10
SHOWN_CONFUSIONS = 10
SHARE = "share of the true class"  # column of the table of confusions


class Score(NamedTuple):
    """Value of a metric and its 95 % interval; NaN for what is not known."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Result:
    """Scores of a split, all of one checkpoint.

    Attributes:
        split: Its name.
        images: Number of its images.
        scores: Scores by metric.
        checkpoint: Name of the checkpoint, such as `best (epoch 11)`; empty if it is not known.
        time: When it was scored, in milliseconds since 1970; 0 if it is not known.
        dataset: The dataset of its images if they are not those of the run; else empty.
        epoch: Epoch of the checkpoint; -1 if it is not known.
    """

    split: str
    images: int
    scores: dict[Metric, Score]
    checkpoint: str = ""
    time: int = 0
    dataset: str = ""
    epoch: int = -1


class Confusion(NamedTuple):
    """Images of a class that were predicted as another."""

    true: str
    predicted: str
    images: int
    share: float  # of the images of the true class, in [0, 1]


def results_of(record: StoredRun, splits: Sequence[SplitSummary]) -> list[Result]:
    """Scores of each split that was validated or tested, test first, all of one checkpoint.

    It is that of the last test, or else of the last validation. All have the same metrics: those
    that were logged for one of the splits.

    Args:
        record: The run.
        splits: Its splits, for the numbers of images of runs of earlier versions.
    """
    latest = _latest(record, splits)
    evaluated = [_same_checkpoint(record, each, latest[0]) for each in latest]
    return _results(record, splits, evaluated)


def latest_results(record: StoredRun, splits: Sequence[SplitSummary]) -> list[Result]:
    """Like `results_of`, but of the last evaluation of each split, whose tables the run has."""
    return _results(record, splits, _latest(record, splits))


def _latest(record: StoredRun, splits: Sequence[SplitSummary]) -> list[Evaluation]:
    images = {split.name: sum(split.counts.values()) for split in splits}
    return [
        _evaluation(record, split, images.get(split, 0))
        for split in SPLITS
        if f"{split}/{METRICS[0].name}" in record.metrics
    ]


def _same_checkpoint(record: StoredRun, own: Evaluation, other: Evaluation) -> Evaluation:
    """The evaluation of a split with the epoch of another one; its own last one if there is none.

    A fit validates each epoch, but only the last one is in its table of evaluations.
    """
    if own.epoch == other.epoch or other.epoch < 0 or own.split == OUT_OF_FOLD:
        return own
    recorded = [each for each in evaluations_of(record) if each.epoch == other.epoch]
    if (found := latest_evaluation(recorded, own.split)) is not None:
        return found
    histories = {metric.name: record.history(f"{own.split}/{metric.name}") for metric in METRICS}
    scores = {
        name: values[other.epoch] for name, values in histories.items() if other.epoch in values
    }
    if not scores:
        return own
    return replace(own, checkpoint=other.checkpoint, epoch=other.epoch, time=0, scores=scores)


def _results(
    record: StoredRun, splits: Sequence[SplitSummary], evaluated: Sequence[Evaluation]
) -> list[Result]:
    own = {split.digest for split in splits}
    logged = [m for m in METRICS if any(m.name in each.scores for each in evaluated)]
    return [
        Result(
            each.split,
            each.images,
            {metric: _score(record, each, metric) for metric in logged},
            checkpoint_label(each.checkpoint, each.epoch),
            each.time,
            "" if each.digest in own else each.dataset,
            each.epoch,
        )
        for each in evaluated
    ]


def _evaluation(record: StoredRun, split: str, images: int) -> Evaluation:
    """The last evaluation of a split; for a fit that has not ended well, its last validation."""
    last = latest_evaluation(evaluations_of(record), split)
    epoch = max(record.history(f"{split}/{METRICS[0].name}"), default=-1)
    if last is not None and (last.checkpoint != LAST or split != "val" or last.epoch >= epoch):
        return last
    scores = {
        metric.name: record.metrics[key]
        for metric in METRICS
        if (key := f"{split}/{metric.name}") in record.metrics
    }
    return Evaluation(split, LAST if split == "val" else "", epoch, images, scores=scores)


def _score(record: StoredRun, evaluation: Evaluation, metric: Metric) -> Score:
    split, images = evaluation.split, evaluation.images
    value = evaluation.scores.get(metric.name, math.nan)
    for row in record.table(f"tables/scores_{split}.json"):
        low, high = row.get("low"), row.get("high")
        if row.get("metric") != metric.name or low is None or high is None:
            continue
        # Otherwise the table is from another evaluation, perhaps of another checkpoint.
        if abs(row.get("value", value) - value) < ROUNDING and low <= value <= high:
            return Score(value, low, high)
    known = metric.kind == "proportion" and images and not math.isnan(value)
    return Score(value, *wilson(value, images)) if known else Score(value)


def worst_classes(record: StoredRun) -> tuple[str, list[dict[str, Any]]]:
    """The split, test if possible, and its classes with the lowest F1, the lowest first."""
    for split in SPLITS:
        rows = record.table(f"tables/per_class_{split}.json")
        seen = [row for row in rows if row["support"] and row["f1"] is not None]
        if seen:
            worst = sorted(seen, key=lambda row: row["f1"])[:SHOWN_CLASSES]
            return split, [{**NO_INTERVAL, **row} for row in worst]
    return "", []


def confusions(record: StoredRun) -> tuple[str, list[Confusion]]:
    """The split, test if possible, and its most frequent confusions."""
    for split in SPLITS:
        if rows := record.table(f"tables/confusions_{split}.json"):
            found = [
                Confusion(row["true"], row["predicted"], row["images"], row[SHARE]) for row in rows
            ]
            return split, found[:SHOWN_CONFUSIONS]
    return "", []
