"""Results of a benchmark: options, a table of its rows, and JSON; every script has the same."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rounds import write_json

Row = Mapping[str, Any]  # a value for each column; an empty cell is None, or not there


def options_of(about: str | None) -> argparse.ArgumentParser:
    """A parser with the option that all scripts have.

    Args:
        about: The docstring of the script.
    """
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=about, formatter_class=form)
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON file to write")
    return parser


def publish(name: str, rows: Sequence[Row], out: Path | None) -> None:
    """Print rows as a table, and write them with the machine as JSON.

    Args:
        name: Name of the script.
        rows: What was measured.
        out: The JSON file; None for the usual place, see `write_json`.
    """
    print(table(rows))
    write_json(name, list(rows), out)


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table, with the columns in the order in which they first appear."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    numeric = [any(_is_number(row.get(name)) for row in rows) for name in columns]
    cells = [columns, *([_text(row.get(name)) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    head, *body = (_line(row, widths, numeric) for row in cells)
    rule = "|".join(
        f"{'-' * (width + 1)}{':' if right else '-'}"
        for width, right in zip(widths, numeric, strict=True)
    )
    return "\n".join([head, f"|{rule}|", *body])


def _line(cells: Iterable[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    texts = (
        f"{cell:>{width}}" if right else f"{cell:<{width}}"
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return f"| {' | '.join(texts)} |"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and 1000 <= abs(value) < 1e9):
        return f"{value:,.0f}"
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "/")
