"""The results of an ablation as a table, for the eye and for a report."""

import math
from typing import Any

from lightning_app.commands.ablate.results import Outcome, Results

POINTS = 100  # percentage points of a share


def columns_of(results: Results) -> dict[str, list[Any]]:
    """A row a variation, as shares in [0, 1] and their differences; None for what is unknown."""
    rows = [_row(outcome, results.split) for outcome in results.outcomes]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(outcome: Outcome, split: str) -> dict[str, Any]:
    low, high = outcome.interval
    test = outcome.against_base
    row: dict[str, Any] = {
        "variation": outcome.row,
        "seeds": len(outcome.seeds),
        "images": len(outcome.labels),
        f"{split}/accuracy": outcome.mean,
        "low": low,
        "high": high,
        "difference": math.nan if test is None else test.difference,
        "difference_low": math.nan if test is None else test.low,
        "difference_high": math.nan if test is None else test.high,
        "p_value": math.nan if test is None else test.p_value,
        "parameters": outcome.parameters,
        "trainable": outcome.trainable,
        "epoch_seconds": outcome.epoch_seconds,
        "train_minutes": outcome.minutes,
    }
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}


def markdown_of(results: Results) -> str:
    """The same as a table of Markdown, in percent."""
    head = (
        "variation",
        f"{results.split} accuracy, %",
        "95 % over seeds",
        "seeds",
        "images",
        "difference, points",
        "95 % over images",
        "p",
        "parameters",
        "s / epoch",
    )
    lines = [head, ("---", *["--:"] * (len(head) - 1))]
    lines += [_cells(outcome) for outcome in results.outcomes]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    return "\n".join([table, *(f"{note}\n" for note in results.notes)])


def text_of(results: Results) -> str:
    """The same, aligned, for the console."""
    head = (
        "variation",
        "accuracy",
        "over seeds",
        "seeds",
        "images",
        "difference",
        "over images",
        "p",
        "parameters",
        "s/epoch",
    )
    lines = [head, *(_cells(outcome) for outcome in results.outcomes)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    rows = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*rows, *results.notes])


def _cells(outcome: Outcome) -> tuple[str, ...]:
    low, high = outcome.interval
    test = outcome.against_base
    return (
        outcome.row,
        f"{POINTS * outcome.mean:.1f}",
        "" if math.isnan(low) else f"{POINTS * low:.1f} to {POINTS * high:.1f}",
        str(len(outcome.seeds)),
        f"{len(outcome.labels):,}",
        "" if test is None else _points(test.difference),
        "" if test is None else f"{_points(test.low)} to {_points(test.high)}",
        "" if test is None else _p(test.p_value),
        f"{outcome.parameters:,}",
        "" if math.isnan(outcome.epoch_seconds) else f"{outcome.epoch_seconds:.1f}",
    )


def _points(share: float) -> str:
    return f"{round(POINTS * share, 1) + 0.0:+.1f}"  # never -0.0


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
