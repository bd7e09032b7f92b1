"""The findings as text of at most 100 columns, for a terminal or a log file."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lightning_app.commands.prepare.check.findings import (
    SEVERITIES,
    Entry,
    Exhibit,
    Finding,
    class_counts,
    splits_of,
)
from lightning_app.commands.prepare.check.shortcuts.shortcut_table import (
    COLUMNS,
    shortcut_rows,
    shortcut_title,
)
from lightning_app.commands.prepare.check.shortcuts.shortcuts import Shortcuts
from lightning_app.output.console import WIDTH, Column, print_table

ROOM = WIDTH - len("severity  count  ")  # columns for an example
SHOWN = 3  # examples of a finding
SHOWN_CLASSES = 40


def print_findings(
    entries: Sequence[Entry], findings: Sequence[Finding], shortcuts: Shortcuts = Shortcuts()
) -> None:
    """Print the number of images of each class, what tells the classes apart, then the findings."""
    _print_classes(entries)
    print()
    if shortcuts.answers:
        columns = [Column(name) for name in COLUMNS]
        rows = [[shortened(cell, 40) for cell in row] for row in shortcut_rows(shortcuts)]
        print_table(columns, rows, shortcut_title(shortcuts))
        print()
    if findings:
        columns = [Column("severity"), Column("count", "right"), Column("finding", wrap=True)]
        print_table(columns, [(f.severity, str(len(f)), _described(f)) for f in findings])
    print(verdict(findings))


def verdict(findings: Sequence[Finding]) -> str:
    """Whether training would work, and the number of findings, in one line."""
    counts = Counter(finding.severity for finding in findings)
    found = [f"{counts[s]} {s}{'s' * (counts[s] > 1)}" for s in SEVERITIES if counts[s]]
    outcome = "Training would fail or leak" if counts["error"] else "Training can start"
    return f"{outcome}: {', '.join(found) or 'no problems found'}."


def printable(text: str) -> str:
    """Text without control characters and other unprintable ones: a file may have any name."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def shortened(text: str, width: int) -> str:
    """The end of a text, in which file names differ, after an ellipsis if it is too long."""
    text = printable(text)
    return text if len(text) <= width else "…" + text[-width + 1 :]


def _print_classes(entries: Sequence[Entry]) -> None:
    counts, splits = class_counts(entries), splits_of(entries)
    rows = [
        (shortened(name or "(no label)", 50), *(str(row[split]) for split in splits))
        for name, row in list(counts.items())[:SHOWN_CLASSES]
    ]
    if len(counts) > SHOWN_CLASSES:
        more = f"… and {len(counts) - SHOWN_CLASSES} more classes, all in the report"
        rows.append((more, *("" for _ in splits)))
    totals = (str(sum(row[split] for row in counts.values())) for split in splits)
    columns = [Column("class"), *(Column(split, "right") for split in splits)]
    print_table(columns, [*rows, ("all", *totals)])


def _described(finding: Finding) -> str:
    """Title, advice and examples of a finding, followed by an empty line."""
    lines = [finding.title, printable(finding.advice)]
    for group in finding.groups[:SHOWN]:
        lines += _example(group)
    if len(finding) > SHOWN:
        lines.append(f"- and {len(finding) - SHOWN} more")
    return "\n".join([*lines, ""])


def _example(group: Sequence[Exhibit]) -> Iterator[str]:
    """One line per exhibit; copies are listed below each other, with split and class."""
    for exhibit in group[:SHOWN]:
        remark = f" ({shortened(exhibit.remark, 50)})" if exhibit.remark else ""
        if len(group) > 1 and exhibit.entry is not None:
            label = shortened(exhibit.entry.label or "no label", 40)
            remark = f" ({label} in {exhibit.entry.split})"
        mark = f"{exhibit.sign or '-'} "
        yield mark + shortened(exhibit.name, ROOM - len(mark) - len(remark)) + remark
    if len(group) > SHOWN:
        more = len(group) - SHOWN
        yield f"  and {more} more {'copy' if more == 1 else 'copies'}"
