"""How good the network is, and where it goes wrong."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lightning_app.store.run_facts import SplitSummary
from lightning_app.store.stored_run import StoredRun

SPLITS = ("test", "val")
METRICS = ("accuracy", "f1_macro")
NORMAL_95 = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution
NO_INTERVAL = {"f1_low": math.nan, "f1_high": math.nan}
SHOWN_CLASSES = 10
SHOWN_CONFUSIONS = 10
SHARE = "share of the true class"  # column of the table of confusions


class Score(NamedTuple):
    """A score in [0, 1] and its 95 % interval; NaN for what is not known."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Result:
    """The scores of a split."""

    split: str
    images: int
    scores: dict[str, Score]
    loss: float


class Confusion(NamedTuple):
    """Images of a class that were taken for another."""

    true: str
    predicted: str
    images: int
    share: float  # of the images of the true class, in [0, 1]


def results_of(record: StoredRun, splits: Sequence[SplitSummary]) -> list[Result]:
    """The scores of each split that was looked at, test first."""
    images = {split.name: sum(split.counts.values()) for split in splits}
    return [
        Result(
            split,
            images.get(split, 0),
            {name: _score(record, split, name, images.get(split, 0)) for name in METRICS},
            record.metrics.get(f"{split}/loss", math.nan),
        )
        for split in SPLITS
        if f"{split}/accuracy" in record.metrics
    ]


def _score(record: StoredRun, split: str, name: str, images: int) -> Score:
    value = record.metrics.get(f"{split}/{name}", math.nan)
    for row in record.table(f"tables/scores_{split}.json"):
        low, high = row.get("low"), row.get("high")
        if row.get("metric") != name or low is None or high is None:
            continue
        # A table of another pass than the metric would say something of another network.
        if low <= value <= high:
            return Score(value, low, high)
    return Score(value, *wilson(value, images)) if name == "accuracy" and images else Score(value)


def wilson(share: float, number: int) -> tuple[float, float]:
    """95 % interval of a share of independent trials (Wilson, 1927)."""
    square = NORMAL_95**2 / number
    middle = share + square / 2
    half = NORMAL_95 * math.sqrt(share * (1 - share) / number + square / 4 / number)
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def worst_classes(record: StoredRun) -> tuple[str, list[dict[str, Any]]]:
    """The split, and those of its classes that have the lowest F1, the lowest first."""
    for split in SPLITS:
        rows = record.table(f"tables/per_class_{split}.json")
        seen = [row for row in rows if row["support"] and row["f1"] is not None]
        if seen:
            worst = sorted(seen, key=lambda row: row["f1"])[:SHOWN_CLASSES]
            return split, [{**NO_INTERVAL, **row} for row in worst]
    return "", []


def confusions(record: StoredRun) -> tuple[str, list[Confusion]]:
    """The split, and its most frequent confusions."""
    for split in SPLITS:
        if rows := record.table(f"tables/confusions_{split}.json"):
            found = [
                Confusion(row["true"], row["predicted"], row["images"], row[SHARE]) for row in rows
            ]
            return split, found[:SHOWN_CONFUSIONS]
    return "", []
