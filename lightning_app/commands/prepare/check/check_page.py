"""The findings as one HTML page that needs nothing else: no network, no script, no other file."""

import re
from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from lightning_app.commands.prepare.check.charts import bubbles
from lightning_app.commands.prepare.check.facts import Facts
from lightning_app.commands.prepare.check.findings import (
    SEVERITIES,
    Entry,
    Exhibit,
    Finding,
    class_counts,
    splits_of,
)
from lightning_app.commands.prepare.check.terminal import printable, shortened, verdict
from lightning_app.commands.prepare.check.thumbnails import data_uri

SHOWN = 24  # thumbnails of a finding
SHOWN_CLUSTERS = 12  # groups of copies of a finding
SHOWN_COPIES = 6  # images of a group
SHOWN_NAMES = 60  # of files that are no images, rows and classes
SHOWN_CLASSES = 40  # rows of the bar chart; the rest unfolds
CAPTION = 44  # characters


def write_page(
    file: Path,
    title: str,
    entries: Sequence[Entry],
    facts: Sequence[Facts],
    findings: Sequence[Finding],
) -> None:
    """Write the page beside its target and rename it.

    Args:
        file: The target.
        title: What the data are called.
        entries: The images.
        facts: What the file of each holds.
        findings: What was found, in the order of the page.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"printable": printable, "marked": _marked, "broken": _broken}
    template = environment.from_string(
        files("lightning_app.commands.prepare.check").joinpath("page.html").read_text("utf-8")
    )
    counts = class_counts(entries)
    unreadable = {
        entry.name for entry, of_file in zip(entries, facts, strict=True) if of_file.fault
    }
    text = template.render(
        title=title,
        date=datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
        verdict=verdict(findings),
        number=len(entries),
        severities={s: [f for f in findings if f.severity == s] for s in SEVERITIES},
        splits=Counter(entry.split for entry in entries),
        split_order=splits_of(entries),
        labelled=splits_of(entry for entry in entries if entry.label),
        counts=list(counts.items()),
        largest=max(max(of_split.values()) for of_split in counts.values()),
        shown_classes=SHOWN_CLASSES,
        chart=bubbles(Counter(f.size for f in facts if not f.fault)),
        sections=[_section(finding, unreadable) for finding in findings],
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.tmp")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(file)


def _section(finding: Finding, unreadable: Set[str]) -> dict[str, Any]:
    """What the template needs of a finding."""
    kind, limit = _layout(finding)
    groups = [
        {
            "shown": [_figure(exhibit, unreadable) for exhibit in group[:SHOWN_COPIES]],
            "more": max(len(group) - SHOWN_COPIES, 0),
            "labels_differ": len({x.entry.label for x in group if x.entry} - {""}) > 1,
        }
        for group in finding.groups[:limit]
    ]
    return {
        "finding": finding,
        "kind": kind,
        "groups": groups,
        "more": max(len(finding) - limit, 0),
    }


def _layout(finding: Finding) -> tuple[str, int]:
    """How the exhibits are laid out, and how many are shown."""
    if any(len(group) > 1 for group in finding.groups):
        return "clusters", SHOWN_CLUSTERS
    if any(exhibit.entry for group in finding.groups for exhibit in group):
        return "grid", SHOWN
    return "names", SHOWN_NAMES


def _figure(exhibit: Exhibit, unreadable: Set[str]) -> dict[str, Any]:
    entry = exhibit.entry
    return {
        "name": printable(exhibit.name),
        "caption": shortened(exhibit.name, CAPTION),
        "remark": printable(exhibit.remark),
        "sign": exhibit.sign.replace("~", "≈"),
        "entry": entry,
        "image": data_uri(entry) if entry and entry.name not in unreadable else None,
    }


def _marked(text: str) -> Markup:
    """Options set as code, so that none is broken at its dashes."""
    return Markup(re.sub(r"--[\w.]+", r"<code>\g<0></code>", str(escape(text))))


def _broken(name: str) -> Markup:
    """A path that goes over several lines between its parts."""
    return Markup(re.sub(r"[/_-]", r"\g<0><wbr>", str(escape(name))))
