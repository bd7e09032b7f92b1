"""Console tables: at most 100 columns wide, and plain text where the output is not a terminal."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

WIDTH = 100  # of a table, in characters
GAP = 2  # characters between two columns
MIN_WRAPPED = 30  # characters that a column of prose keeps


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its heading.
        align: `right` suits numbers.
        wrap: Whether its cells are prose that is broken into lines where the table is too wide.
    """

    name: str
    align: Literal["left", "right"] = "left"
    wrap: bool = False


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table to the standard output.

    Columns that have no room beside the others follow below them, as a table of their own that
    repeats the first column. The columns are spread evenly, so that no single one is left over.

    Args:
        columns: The first one names the rows.
        rows: A cell for each column.
        title: Printed above the table.
    """
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    if title:
        print(title)
    for number, places in enumerate(_blocks(columns, rows, console.width)):
        if number:
            print()
        console.print(
            _table([columns[k] for k in places], [[row[k] for k in places] for row in rows])
        )


def _blocks(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[list[int]]:
    """The columns of each table, by their places: as few tables as possible, all about as wide."""
    widths = [_width(column, [row[k] for row in rows]) for k, column in enumerate(columns)]
    blocks = [*_filled(widths, width)]
    while len(narrower := [*_filled(widths, width - 1)]) == len(blocks) and width > max(widths):
        blocks, width = narrower, width - 1
    return blocks


def _filled(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The columns of each table if each is filled before the next one begins."""
    places = [0]
    for place in range(1, len(widths)):
        if len(places) > 1 and sum(widths[k] + GAP for k in places) + widths[place] > width:
            yield places
            places = [0]
        places.append(place)
    yield places


def _width(column: Column, cells: Sequence[str]) -> int:
    """Characters that a column needs."""
    widest = max(map(cell_len, [column.name, *cells]))
    return min(widest, MIN_WRAPPED) if column.wrap else widest


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(
            column.name,
            justify=column.align,
            no_wrap=not column.wrap,
            overflow="fold" if column.wrap else "ellipsis",
        )
    for row in rows:
        table.add_row(*row)
    return table
