"""Tables of the results of an ablation: columns for MLflow, Markdown, and the console."""

import math
from typing import Any

from lightning_app.commands.ablate.results import AblationResults, VariationResult
from lightning_app.output.console import Column, print_table

POINTS = 100  # percentage points of a share


def result_columns(results: AblationResults) -> dict[str, list[Any]]:
    """One row per variation, with shares in [0, 1] and their differences; None for unknown."""
    rows = [_row(row, results.split) for row in results.rows]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(result: VariationResult, split: str) -> dict[str, Any]:
    low, high = result.interval
    test = result.against_base
    row: dict[str, Any] = {
        "variation": result.title,
        "seeds": len(result.seeds),
        "images": len(result.labels),
        f"{split}/accuracy": result.mean,
        "low": low,
        "high": high,
        "difference": math.nan if test is None else test.difference,
        "difference_low": math.nan if test is None else test.low,
        "difference_high": math.nan if test is None else test.high,
        "p_value": math.nan if test is None else test.p_value,
        "parameters": result.parameters,
        "trainable": result.trainable,
        "epoch_seconds": result.epoch_seconds,
        "peak_memory_mib": result.peak_memory or math.nan,
        "train_minutes": result.minutes,
    }
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}


def markdown_table(results: AblationResults) -> str:
    """The results as a Markdown table, in percent."""
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
        "peak MiB",
    )
    lines = [head, ("---", *["--:"] * (len(head) - 1))]
    lines += [_cells(row) for row in results.rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    return "\n".join([table, *(f"{note}\n" for note in results.notes)])


def print_results(results: AblationResults) -> None:
    """Print the results, in percent, and the notes."""
    names = ("accuracy", "over seeds", "seeds", "images", "difference", "over images", "p")
    columns = [Column(name, "right") for name in (*names, "parameters", "s/epoch", "peak MiB")]
    print_table([Column("variation"), *columns], [_cells(row) for row in results.rows])
    for note in results.notes:
        print(note)


def _cells(result: VariationResult) -> tuple[str, ...]:
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
        f"{result.parameters:,}",
        "" if math.isnan(result.epoch_seconds) else f"{result.epoch_seconds:.1f}",
        f"{result.peak_memory:,.0f}" if result.peak_memory else "",
    )


def _points(share: float) -> str:
    return f"{round(POINTS * share, 1) + 0.0:+.1f}"  # never -0.0


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
