"""Tables of the results of an ablation: columns for MLflow, Markdown, and the console."""

import math
import textwrap
from collections.abc import Sequence
from statistics import mean
from typing import Any

from lightning_app.commands.ablate.results import AblationResults
from lightning_app.commands.ablate.variation_result import VariationResult
from lightning_app.output.console import WIDTH, Column, print_table
from lightning_app.store.course import GOAL, Course

POINTS = 100  # percentage points of a share
SCORES = ("accuracy", "over seeds", "seeds", "images", "difference", "over images", "p")
TRAINING = (
    *("epochs to goal", "train loss rise", "val loss rise"),
    *("parameters", "s/epoch", "peak MiB"),
)

Cells = tuple[str, ...]


def result_columns(results: AblationResults) -> dict[str, list[Any]]:
    """One row per variation, with shares in [0, 1] and their differences; None for unknown."""
    rows = [_row(row, results) for row in results.rows]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(result: VariationResult, results: AblationResults) -> dict[str, Any]:
    low, high = result.interval
    test, course = result.against_base, result.course
    reached = [epochs for epochs in course.epochs_to(results.goal) if epochs is not None]
    row: dict[str, Any] = {
        "variation": result.title,
        "seeds": len(result.seeds),
        "images": len(result.labels),
        f"{results.split}/accuracy": result.mean,
        "low": low,
        "high": high,
        "difference": math.nan if test is None else test.difference,
        "difference_low": math.nan if test is None else test.low,
        "difference_high": math.nan if test is None else test.high,
        "p_value": math.nan if test is None else test.p_value,
        "goal": results.goal,
        "epochs_to_goal": mean(reached) if reached else math.nan,
        "seeds_at_goal": len(reached),
        "train_loss_rise": course.train_loss_rise,
        "val_loss_rise": course.val_loss_rise,
        "parameters": result.parameters,
        "trainable": result.trainable,
        "epoch_seconds": course.epoch_seconds,
        "peak_memory_mib": result.peak_memory or math.nan,
        "train_minutes": course.minutes,
    }
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}


def markdown_table(results: AblationResults) -> str:
    """The results as two Markdown tables, in percent, and the notes."""
    scores = (
        f"{results.split} accuracy, %",
        "95 % over seeds",
        "seeds",
        "images",
        "difference, points",
        "95 % over images",
        "p",
    )
    tables = [
        _markdown(scores, [_scores(row) for row in results.rows]),
        f"{_about_training(results)}\n",
        _markdown(TRAINING, [_training(row, results.goal) for row in results.variations]),
    ]
    return "\n".join([*tables, *(f"{note}\n" for note in results.notes)])


def _markdown(names: Sequence[str], rows: Sequence[Cells]) -> str:
    lines = [("variation", *names), ("---", *["--:"] * len(names)), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def print_results(results: AblationResults) -> None:
    """Print the scores in percent, how the variations trained, and the notes."""
    _print(SCORES, [_scores(row) for row in results.rows])
    print(f"\n{textwrap.fill(_about_training(results), WIDTH)}")
    _print(TRAINING, [_training(row, results.goal) for row in results.variations])
    for note in results.notes:
        print(note)


def _print(names: Sequence[str], rows: Sequence[Cells]) -> None:
    print_table([Column("variation"), *(Column(name, "right") for name in names)], rows)


def _about_training(results: AblationResults) -> str:
    known = "" if math.isnan(results.goal) else f", {results.goal:.3f}"
    return (
        f"Training. The goal is {GOAL:.0%} of the base's best validation accuracy{known}. A rise "
        "is the largest from one epoch to the next."
    )


def _scores(result: VariationResult) -> Cells:
    low, high = result.interval
    test = result.against_base
    return (
        result.title,
        f"{POINTS * result.mean:.1f}",
        "" if math.isnan(low) else f"{POINTS * low:.1f} to {POINTS * high:.1f}",
        str(len(result.seeds)),
        f"{len(result.labels):,}",
        "" if test is None else _points(test.difference),
        "" if test is None else f"{_points(test.low)} to {_points(test.high)}",
        "" if test is None else _p(test.p_value),
    )


def _training(result: VariationResult, goal: float) -> Cells:
    course = result.course
    return (
        result.name,
        _epochs(course, goal),
        _number(course.train_loss_rise, ".3g"),
        _number(course.val_loss_rise, ".3g"),
        f"{result.parameters:,}",
        _number(course.epoch_seconds, ".1f"),
        _number(result.peak_memory or math.nan, ",.0f"),
    )


def _epochs(course: Course, goal: float) -> str:
    """Epochs to the goal, the mean over the seeds that reach it, and how many these are."""
    found = course.epochs_to(goal)
    reached = [epochs for epochs in found if epochs is not None]
    if math.isnan(goal) or not any(course.accuracies):
        return ""
    if not reached:
        return f"not in {max(map(max, filter(None, course.accuracies))) + 1}"
    seeds = f" ({len(reached)} of {len(found)} seeds)" if len(reached) < len(found) else ""
    return f"{round(mean(reached), 1):g}{seeds}"


def _number(value: float, digits: str) -> str:
    return "" if math.isnan(value) else format(value, digits)


def _points(share: float) -> str:
    return f"{round(POINTS * share, 1) + 0.0:+.1f}"  # never -0.0


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
