"""HTML page of a data check: one self-contained file with the findings and thumbnails."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import (
    SEVERITIES,
    Entry,
    Finding,
    class_counts,
    splits_of,
)
from lightning_app.commands.prepare.check.image_sizes import count_sizes
from lightning_app.commands.prepare.check.page_findings import (
    breakable,
    finding_context,
    options_as_code,
)
from lightning_app.commands.prepare.check.shortcuts.shortcut_table import (
    COLUMNS,
    shortcut_rows,
    shortcut_title,
)
from lightning_app.commands.prepare.check.shortcuts.shortcuts import Shortcuts
from lightning_app.commands.prepare.check.terminal import printable, verdict
from lightning_app.pages.page_file import write_html
from lightning_app.pages.rendering import open_templates
from lightning_app.pages.words import Words

SHOWN_CLASSES = 40  # rows of the bar chart; the others are folded away

Bars = list[tuple[str, list[tuple[str, int, str]]]]  # label, and (colour, number, text) of each bar


def write_page(
    file: Path,
    title: str,
    entries: Sequence[Entry],
    facts: Sequence[ImageFacts],
    findings: Sequence[Finding],
    shortcuts: Shortcuts = Shortcuts(),
) -> None:
    """Write the page of a data check atomically.

    Args:
        file: The HTML file.
        title: Name of the dataset.
        entries: The images.
        facts: Content of the file of each image.
        findings: The findings, in the order of the page.
        shortcuts: By what the classes can be told apart.

    Raises:
        ValueError: If the file cannot be written.
    """
    environment = open_templates("lightning_app.commands.prepare.check")
    environment.filters |= {
        "printable": printable,
        "options_as_code": options_as_code,
        "breakable": breakable,
    }
    context = _context(title, entries, facts, findings) | {"shortcuts": _table(shortcuts)}
    write_html(file, environment.get_template("check.html").render(context))


def _context(
    title: str, entries: Sequence[Entry], facts: Sequence[ImageFacts], findings: Sequence[Finding]
) -> dict[str, Any]:
    words = Words("en")  # the findings themselves are in English
    pairs = list(zip(entries, facts, strict=True))
    unreadable = {entry.name for entry, of_file in pairs if of_file.fault}
    split_counts = Counter(entry.split for entry in entries)
    counts = class_counts(entries)
    return {
        "t": words.texts,
        "words": words,
        "title": title,
        "now": words.date(time.time_ns() // 1_000_000),
        "verdict": verdict(findings),
        "has_errors": any(finding.severity == "error" for finding in findings),
        "tiles": _tiles(entries, findings, words),
        "splits": {split: split_counts[split] for split in splits_of(entries)},
        "classes": _class_bars(entries, words),
        "largest_class": max(max(of_split.values()) for of_split in counts.values()),
        "shown_classes": SHOWN_CLASSES,
        "sizes": _size_bars(facts, words),
        "findings": [finding_context(finding, unreadable) for finding in findings],
    }


def _table(shortcuts: Shortcuts) -> dict[str, Any] | None:
    """What tells the classes apart; None if there were too few images to ask."""
    if not shortcuts.answers:
        return None
    rows = shortcut_rows(shortcuts)
    return {"title": shortcut_title(shortcuts), "columns": COLUMNS, "rows": rows}


def _tiles(
    entries: Sequence[Entry], findings: Sequence[Finding], words: Words
) -> list[tuple[str, str]]:
    """Numbers of images, classes, splits and findings of each severity, with their labels."""
    texts, splits = words["check"], splits_of(entries)
    severities = Counter(finding.severity for finding in findings)
    numbers = {
        texts["images"]: len(entries),
        texts["classes"]: len({entry.label for entry in entries} - {""}),
        texts["splits"].format(names=", ".join(splits)): len(splits),
        **{texts["severities"][severity]: severities[severity] for severity in SEVERITIES},
    }
    return [(label, words.number(number)) for label, number in numbers.items()]


def _class_bars(entries: Sequence[Entry], words: Words) -> Bars:
    """Images of each class by split; a zero only where the split has labels."""
    labelled = splits_of(entry for entry in entries if entry.label)
    return [
        (
            printable(name) or words["check"]["no_label"],
            [
                (split, number, words.number(number))
                for split, number in of_split.items()
                if number or (name and split in labelled)
            ],
        )
        for name, of_split in class_counts(entries).items()
    ]


def _size_bars(facts: Sequence[ImageFacts], words: Words) -> dict[str, Any] | None:
    """Numbers of images by size; None if no image can be read."""
    sizes = Counter(of_file.size for of_file in facts if not of_file.fault)
    if not sizes:
        return None
    counts = count_sizes(sizes)
    label = words["check"]["size" if counts.are_exact else "side_range"]
    return {
        "are_exact": counts.are_exact,
        "rows": [
            (label.format(*size), [("", number, words.number(number))])
            for size, number in counts.rows
        ],
        "largest": max(number for _, number in counts.rows),
    }
