"""Scores of a stored run: its metrics, the classes with the lowest F1, and its confusions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lightning_app.store.describe_run import SplitSummary
from lightning_app.store.stored_run import StoredRun
from models.evaluation.metrics import METRICS, Metric
from models.evaluation.wilson import wilson

SPLITS = ("test", "val")
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
    """Scores of a split, by metric, and the number of its images."""

    split: str
    images: int
    scores: dict[Metric, Score]


class CopyScores(NamedTuple):
    """Accuracy with and without the images that are copies of training images."""

    split: str
    images: int
    copies: int
    with_copies: Score
    without_copies: Score


class Confusion(NamedTuple):
    """Images of a class that were predicted as another."""

    true: str
    predicted: str
    images: int
    share: float  # of the images of the true class, in [0, 1]


def results_of(record: StoredRun, splits: Sequence[SplitSummary]) -> list[Result]:
    """Scores of each split that was validated or tested, test first.

    All have the same metrics: those that were logged for one of the splits.

    Args:
        record: The run.
        splits: Its splits, for the numbers of images.
    """
    images = {split.name: sum(split.counts.values()) for split in splits}
    logged = [
        metric
        for metric in METRICS
        if any(f"{split}/{metric.name}" in record.metrics for split in SPLITS)
    ]
    return [
        Result(
            split,
            images.get(split, 0),
            {metric: _score(record, split, metric, images.get(split, 0)) for metric in logged},
        )
        for split in SPLITS
        if f"{split}/{METRICS[0].name}" in record.metrics
    ]


def _score(record: StoredRun, split: str, metric: Metric, images: int) -> Score:
    value = record.metrics.get(f"{split}/{metric.name}", math.nan)
    for row in record.table(f"tables/scores_{split}.json"):
        low, high = row.get("low"), row.get("high")
        if row.get("metric") != metric.name or low is None or high is None:
            continue
        # Otherwise the table is from another pass, perhaps with other weights.
        if low <= value <= high:
            return Score(value, low, high)
    known = metric.kind == "proportion" and images and not math.isnan(value)
    return Score(value, *wilson(value, images)) if known else Score(value)


def copy_scores(record: StoredRun) -> list[CopyScores]:
    """Scores of each split that has copies of training images; see `TrainingCopies`."""
    found = []
    for split in SPLITS:
        rows = {row["images"]: row for row in record.table(f"tables/copies_{split}.json")}
        if "without copies" in rows:
            scores = [
                Score(*(rows[kind][key] for key in ("accuracy", "low", "high")))
                for kind in ("all", "without copies")
            ]
            numbers = [rows[kind]["number"] for kind in ("all", "copies")]
            found.append(CopyScores(split, *numbers, *scores))
    return found


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
