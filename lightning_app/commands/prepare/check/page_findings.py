"""Findings of a data check on its HTML page: layout, captions and thumbnails."""

import re
from collections.abc import Set
from typing import Any

from markupsafe import Markup, escape

from datamodules.sources.decode import UnreadableImageError
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding
from lightning_app.commands.prepare.check.terminal import printable, shortened
from lightning_app.pages.data_uris import Embedded, embed_thumbnail

SHOWN = 24  # thumbnails of a finding
SHOWN_GROUPS = 12  # groups of copies of a finding
SHOWN_COPIES = 6  # images of a group
SHOWN_NAMES = 60  # files without a thumbnail, rows and classes
CAPTION = 44  # characters


def finding_context(finding: Finding, unreadable: Set[str]) -> dict[str, Any]:
    """A finding as the template `check.html` needs it.

    Args:
        finding: The finding.
        unreadable: Names of the images that cannot be read, which get no thumbnail.
    """
    layout, limit = _layout(finding)
    groups = [
        {
            "shown": [_figure(exhibit, unreadable) for exhibit in group[:SHOWN_COPIES]],
            "more": max(len(group) - SHOWN_COPIES, 0),
            "labels_differ": len({x.entry.label for x in group if x.entry} - {""}) > 1,
        }
        for group in finding.groups[:limit]
    ]
    return {
        "severity": finding.severity,
        "title": finding.title,
        "advice": finding.advice,
        "number": len(finding),
        "layout": layout,
        "groups": groups,
        "more": max(len(finding) - limit, 0),
    }


def _layout(finding: Finding) -> tuple[str, int]:
    """How the exhibits are laid out, and how many of them are shown."""
    if any(len(group) > 1 for group in finding.groups):
        return "copies", SHOWN_GROUPS
    if any(exhibit.entry for group in finding.groups for exhibit in group):
        return "previews", SHOWN
    return "names", SHOWN_NAMES


def _figure(exhibit: Exhibit, unreadable: Set[str]) -> dict[str, Any]:
    entry = exhibit.entry
    return {
        "name": printable(exhibit.name),
        "caption": shortened(exhibit.name, CAPTION),
        "remark": printable(exhibit.remark),
        "sign": exhibit.sign.replace("~", "≈"),
        "split": entry.split if entry else "",
        "label": printable(entry.label) if entry else "",
        "image": _thumbnail(entry) if entry and entry.name not in unreadable else None,
    }


def _thumbnail(entry: Entry) -> Embedded | None:
    """The image as training reads it; None if it cannot be read."""
    try:
        return embed_thumbnail(entry.read())
    except UnreadableImageError:
        return None


def options_as_code(text: str) -> Markup:
    """Set options of the command line as code, so that none is broken at its dashes."""
    return Markup(re.sub(r"--[\w.]+", r"<code>\g<0></code>", str(escape(text))))


def breakable(name: str) -> Markup:
    """A path that can continue on the next line after each of its separators."""
    return Markup(re.sub(r"[/_-]", r"\g<0><wbr>", str(escape(name))))
