"""Terminal output of a comparison."""

import textwrap
from collections.abc import Iterator, Sequence

from callbacks.plots.drawing.texts import counted, shorten
from lightning_app.commands.compare.comparison import Comparison
from lightning_app.commands.compare.image_notes import image_notes
from lightning_app.commands.compare.numbers import Number, number_rows
from lightning_app.commands.compare.pairs import ClassChange, Pair
from lightning_app.commands.compare.settings import different_settings
from lightning_app.output.console import WIDTH, Column, print_table
from lightning_app.pages.words import Words, p_value, points

MAX_CELL = 36  # letters of a name or a value
SHOWN = 3  # classes that gained most, and that lost most

Row = tuple[str, Sequence[str]]  # a label, and a text for each run


def print_comparison(comparison: Comparison, words: Words) -> None:
    """Print tables of numbers and settings, then each run compared with the first."""
    names, records = comparison.names, comparison.records
    numbers = [(label, [_text(n) for n in row]) for label, row in number_rows(records, words)]
    _print_rows("", names, numbers)
    if note := image_notes(comparison, words):
        print(f"\n{textwrap.fill(note, WIDTH)}")
    print()
    if settings := different_settings(comparison, words):
        _print_rows("settings that differ", names, settings)
    else:
        print("All settings are the same.")
    for pair in comparison.pairs:
        print()
        print("\n".join(_pair(comparison, pair)))
    if comparison.p_values:
        print()
        _print_p_values(comparison)


def _print_rows(label: str, names: Sequence[str], rows: Sequence[Row], title: str = "") -> None:
    """Print a table with a column for each run."""
    columns = [Column(shorten(name, MAX_CELL)) for name in (label, *names)]
    cells = [[shorten(text, MAX_CELL) for text in (name, *texts)] for name, texts in rows]
    print_table(columns, cells, title)


def _text(number: Number) -> str:
    return f"{number.value} ({number.interval})" if number.interval else number.value


def _pair(comparison: Comparison, pair: Pair) -> Iterator[str]:
    names, predictions = comparison.names, comparison.predictions
    yield (
        f"{names[pair.second]} against {names[pair.first]}, on "
        f"{counted(len(predictions.images), f'{comparison.split} image')}"
    )
    if predictions.left_out:
        yield (f"  {predictions.left_out:,} left out: missing from a run, or labelled differently")
    yield (
        f"  fixed {len(pair.fixed):,}, broken {len(pair.broken):,}, both correct "
        f"{pair.both_correct:,}, both wrong {pair.both_wrong:,}"
    )
    test, (before, after) = pair.test, pair.accuracies
    yield (
        f"  accuracy {before:.1%} to {after:.1%}: {points(test.difference)} points "
        f"[{points(test.low)}, {points(test.high)}], McNemar {p_value(test.p_value, 'p ')} (exact)"
    )
    if comparison.p_values:  # of several p-values, one is small by chance
        adjusted = p_value(comparison.decisive_p_value(pair), "p ")
        yield f"  adjusted for all {len(comparison.p_values)} pairs of runs (Holm): {adjusted}"
    for label, classes in (("gained most", pair.gained), ("lost most", pair.lost)):
        for row, change in enumerate(classes[:SHOWN]):
            yield f"  {'' if row else label:13}{_class(change)}"


def _class(change: ClassChange) -> str:
    test = change.test
    return (
        f"{shorten(change.name, MAX_CELL)}: {points(test.difference)} "
        f"[{points(test.low)}, {points(test.high)}] of {counted(change.images, 'image')}"
    )


def _print_p_values(comparison: Comparison) -> None:
    values, names = comparison.p_values, comparison.names
    rows = [
        (
            name,
            [p_value(values[row, k]) if (row, k) in values else "" for k in range(1, len(names))],
        )
        for row, name in enumerate(names[:-1])
    ]
    title = f"p-values of all {len(values)} pairs, adjusted for their number (Holm)"
    _print_rows("", names[1:], rows, title)
