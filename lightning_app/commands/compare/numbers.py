"""Scores, sizes and times of runs, side by side."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lightning_app.pages.words import UNKNOWN, Words
from lightning_app.store import describe_run
from lightning_app.store.corruption_scores import CorruptionScores, corruption_scores
from lightning_app.store.course import Course, read_course
from lightning_app.store.external_scores import external_scores
from lightning_app.store.run_scores import SPLITS, Result, latest_results, results_of
from lightning_app.store.stored_run import StoredRun
from models.evaluation.metrics import METRICS, Metric


class Number(NamedTuple):
    """A number of a run as text, and its 95 % interval; empty if it has none."""

    value: str
    interval: str = ""


Rows = list[tuple[str, list[Number]]]  # a label, and the number of each run
Results = Mapping[str, Result]  # of a run, by split


def number_rows(records: Sequence[StoredRun], words: Words) -> Rows:
    """Scores, sizes and times of runs; rows that no run has are left out."""
    results = [
        {r.split: r for r in results_of(record, describe_run.splits_of(record))}
        for record in records
    ]
    rows = _scores(results, words) + _groups(records, results, words)
    rows += _corrupted(records, words) + _external(records)
    labels, goal = words["comparison"]["numbers"], read_course(records[:1]).goal
    makers: dict[str, Callable[[StoredRun], str]] = {
        "total": lambda record: _metric(record, "params/total", words),
        "trainable": lambda record: _metric(record, "params/trainable", words),
        "epochs": lambda record: words.number(describe_run.num_epochs(record)),
        "best": _best,
        "took": lambda record: _duration(describe_run.training_time(record), words),
        "epoch": lambda record: _duration(describe_run.epoch_duration(record), words),
        "memory": lambda record: words.memory(*describe_run.peak_memory(record)) or UNKNOWN,
        "goal": lambda record: _epochs_to(read_course([record]), goal, words),
        "train_rise": lambda record: words.number(read_course([record]).train_loss_rise),
        "val_rise": lambda record: words.number(read_course([record]).val_loss_rise),
        "state": lambda record: words["states"].get(record.run.info.status, UNKNOWN),
    }
    for key, make in makers.items():
        rows.append((labels[key], [Number(make(record)) for record in records]))
    return [(name, row) for name, row in rows if any(number.value != UNKNOWN for number in row)]


def _scores(found: Sequence[Results], words: Words) -> Rows:
    rows: Rows = []
    for split in SPLITS:
        results = [of_run.get(split) for of_run in found]
        place = words["splits"][split]
        label = words["comparison"]["numbers"]["checkpoint"].format(split=place)
        names = [result.checkpoint if result else "" for result in results]
        rows.append((label, [Number(name or UNKNOWN) for name in names]))
        for metric in METRICS:
            numbers = [_number(result, metric, words) for result in results]
            rows.append((words.metric(metric, place), numbers))
    return rows


def _groups(records: Sequence[StoredRun], found: Sequence[Results], words: Words) -> Rows:
    """The lowest accuracy of a group, and the share of the evidence on the subject."""
    rows, labels = list[tuple[str, list[Number]]](), words["comparison"]["numbers"]
    for split in SPLITS:
        for name in ("worst_group_accuracy", "evidence_inside"):
            values = [
                _at_checkpoint(record, split, of_run.get(split), name)
                for record, of_run in zip(records, found, strict=True)
            ]
            shown = [Number(UNKNOWN if math.isnan(v) else words.percent(v)) for v in values]
            rows.append((labels[name].format(split=words["splits"][split]), shown))
    return rows


def _at_checkpoint(record: StoredRun, split: str, result: Result | None, name: str) -> float:
    """The value of a metric for the checkpoint whose scores are shown; NaN if there is none.

    The last value is that of the last evaluation, which may be of another checkpoint.
    """
    key = f"{split}/{name}"
    last = {r.split: r for r in latest_results(record, describe_run.splits_of(record))}
    if result is None or last[split].epoch == result.epoch:
        return record.metrics.get(key, math.nan)
    return record.history(key).get(result.epoch, math.nan) if key in record.metrics else math.nan


def _corrupted(records: Sequence[StoredRun], words: Words) -> Rows:
    """Scores on corrupted test images; the digest tells whether the images are the same."""
    labels, rows = words["comparison"]["numbers"], list[tuple[str, list[Number]]]()
    found = [{each.split: each for each in corruption_scores(record)} for record in records]
    texts: dict[str, Callable[[CorruptionScores], str]] = {
        "corrupted_images": lambda s: f"{words.number(s.images)}, {s.digest}",
        "corrupted_clean": lambda s: words.percent(s.clean),
        "corrupted": lambda s: words.percent(s.accuracy),
        "corrupted_loss": lambda s: words.percent(s.relative_loss),
    }
    for split in dict.fromkeys(split for of_run in found for split in of_run):
        shown = [of_run.get(split) for of_run in found]
        for key, text in texts.items():
            label = labels[key].format(split=words["splits"][split])
            rows.append((label, [Number(text(s) if s else UNKNOWN) for s in shown]))
        for name in dict.fromkeys(name for s in shown if s for name in s.by_corruption):
            values = [s.by_corruption.get(name) if s else None for s in shown]
            numbers = [Number(UNKNOWN if v is None else words.percent(v)) for v in values]
            rows.append((f"    {name.replace('_', ' ')}", numbers))
    return rows


def _external(records: Sequence[StoredRun]) -> Rows:
    """Scores from elsewhere, by name."""
    found = [{score.name: score.text for score in external_scores(record)} for record in records]
    names = sorted({name for of_run in found for name in of_run})
    return [(name, [Number(of_run.get(name, UNKNOWN)) for of_run in found]) for name in names]


def _number(result: Result | None, metric: Metric, words: Words) -> Number:
    if result is None or metric not in result.scores:
        return Number(UNKNOWN)
    score = result.scores[metric]
    return Number(words.value(metric, score.value), words.interval(score.low, score.high, 1))


def _metric(record: StoredRun, name: str, words: Words) -> str:
    return words.number(record.metrics[name]) if name in record.metrics else UNKNOWN


def _best(record: StoredRun) -> str:
    best = describe_run.best_epoch(record)
    return f"{best[1]} ({best[0]} {best[2]:.4f})" if best else UNKNOWN


def _epochs_to(course: Course, goal: float, words: Words) -> str:
    """Epochs to the goal, which is that of the first run."""
    if math.isnan(goal) or not any(course.accuracies):
        return UNKNOWN
    [epochs], [history] = course.epochs_to(goal), course.accuracies
    never = words["comparison"]["numbers"]["never"].format(number=max(history) + 1)
    return never if epochs is None else words.number(epochs)


def _duration(milliseconds: int, words: Words) -> str:
    return words.duration(milliseconds) if milliseconds else UNKNOWN
