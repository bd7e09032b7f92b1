"""What the console says of runs that are compared."""

import textwrap
from collections.abc import Iterator, Sequence

from callbacks.plots.drawing.texts import counted, shorten
from lightning_app.commands.compare.comparison import Comparison
from lightning_app.commands.compare.numbers import Number, number_rows
from lightning_app.commands.compare.own_images import told_apart
from lightning_app.commands.compare.pairs import ClassChange, Pair
from lightning_app.commands.compare.settings import different_settings
from lightning_app.pages.words import Words, p_value, points

WIDTH = 100  # columns
MAX_CELL = 36  # letters of a name or a value
SHOWN = 3  # classes that gained, and that lost
GAP = 2

Row = tuple[str, Sequence[str]]  # a label, and a text for each run


def described(comparison: Comparison, words: Words) -> str:
    """Tables of numbers and settings, then each run against the first."""
    names, records = comparison.names, comparison.records
    numbers = [(label, [_told(n) for n in row]) for label, row in number_rows(records, words)]
    settings = different_settings(comparison, words)
    parts = [table([("", names), *numbers])]
    if note := told_apart(comparison, words):
        parts.append(textwrap.fill(note, WIDTH))
    told = table([("settings that differ", names), *settings]) if settings else "no setting differs"
    parts.append(told)
    parts += ["\n".join(_pair(comparison, pair)) for pair in comparison.pairs]
    if comparison.p_values:
        parts.append("\n".join(_all_pairs(comparison)))
    return "\n\n".join(parts)


def table(rows: Sequence[Row], width: int = WIDTH) -> str:
    """Rows in aligned columns, the first of which are heads; columns that have no room go below.

    Args:
        rows: The first one holds the heads.
        width: Of the console, in letters.
    """
    cells = [[shorten(text, MAX_CELL) for text in (label, *texts)] for label, texts in rows]
    widths = [max(map(len, column)) + GAP for column in zip(*cells, strict=True)]
    blocks: list[list[int]] = [[]]
    for column in range(1, len(widths)):
        used = widths[0] + sum(widths[k] for k in blocks[-1])
        if blocks[-1] and used + widths[column] > width:
            blocks.append([])
        blocks[-1].append(column)
    return "\n\n".join(
        "\n".join("".join(row[k].ljust(widths[k]) for k in (0, *block)).rstrip() for row in cells)
        for block in blocks
    )


def _told(number: Number) -> str:
    return f"{number.value} ({number.interval})" if number.interval else number.value


def _pair(comparison: Comparison, pair: Pair) -> Iterator[str]:
    names, answers = comparison.names, comparison.answers
    yield (
        f"{names[pair.second]} against {names[pair.first]}, on "
        f"{counted(len(answers.images), f'{comparison.split} image')}"
    )
    if answers.left_out:
        yield (
            f"  {answers.left_out:,} left out: not all runs have them, or not with the same label"
        )
    yield (
        f"  fixed {len(pair.fixed):,}, broken {len(pair.broken):,}, both right "
        f"{pair.both_right:,}, both wrong {pair.both_wrong:,}"
    )
    test, (before, after) = pair.test, pair.accuracies
    yield (
        f"  accuracy {before:.1%} to {after:.1%}: {points(test.difference)} points "
        f"[{points(test.low)}, {points(test.high)}], McNemar {p_value(test.p_value, 'p ')} (exact)"
    )
    if comparison.p_values:  # one of several is small by luck
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


def _all_pairs(comparison: Comparison) -> Iterator[str]:
    values, names = comparison.p_values, comparison.names
    yield f"p-values of all {len(values)} pairs, adjusted for their number (Holm)"
    rows = [
        (
            name,
            [p_value(values[row, k]) if (row, k) in values else "" for k in range(1, len(names))],
        )
        for row, name in enumerate(names[:-1])
    ]
    yield table([("", names[1:]), *rows])
