"""The findings as text of at most 100 columns, for a terminal or a log file."""

import textwrap
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

WIDTH = 100
INDENT = " " * 17
SHOWN = 3  # examples of a finding
SHOWN_CLASSES = 40


def as_text(entries: Sequence[Entry], findings: Sequence[Finding]) -> str:
    """The number of images of each class, then the findings."""
    lines = [*_class_table(entries), "", *_finding_table(findings), verdict(findings)]
    return "\n".join(lines)


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


def _class_table(entries: Sequence[Entry]) -> Iterator[str]:
    counts, splits = class_counts(entries), splits_of(entries)
    totals = {split: sum(row[split] for row in counts.values()) for split in splits}
    names = {name: shortened(name or "(no label)", 50) for name in counts}
    width = max(len(name) for name in ["class", *names.values()])

    def line(name: str, cells: Sequence[object]) -> str:
        return f"{name:<{width}}" + "".join(f"{cell!s:>9}" for cell in cells)

    yield line("class", splits)
    for name in list(counts)[:SHOWN_CLASSES]:
        yield line(names[name], list(counts[name].values()))
    if len(counts) > SHOWN_CLASSES:
        yield f"… and {len(counts) - SHOWN_CLASSES} more classes, all in the report"
    yield line("all", list(totals.values()))


def _finding_table(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield f"{'severity':<9}{'count':>6}  finding"
    for finding in findings:
        yield f"{finding.severity:<9}{len(finding):>6}  {finding.title}"
        for text in textwrap.wrap(printable(finding.advice), WIDTH - len(INDENT)):
            yield INDENT + text
        for group in finding.groups[:SHOWN]:
            yield from _example(group)
        if len(finding) > SHOWN:
            yield f"{INDENT}- and {len(finding) - SHOWN} more"
        yield ""


def _example(group: Sequence[Exhibit]) -> Iterator[str]:
    """One line per exhibit; copies are listed below each other, with split and class."""
    for exhibit in group[:SHOWN]:
        remark = f" ({shortened(exhibit.remark, 50)})" if exhibit.remark else ""
        if len(group) > 1 and exhibit.entry is not None:
            label = shortened(exhibit.entry.label or "no label", 40)
            remark = f" ({label} in {exhibit.entry.split})"
        mark = f"{exhibit.sign or '-'} "
        room = WIDTH - len(INDENT) - len(mark) - len(remark)
        yield INDENT + mark + shortened(exhibit.name, room) + remark
    if len(group) > SHOWN:
        yield f"{INDENT}  and {len(group) - SHOWN} more copies"
