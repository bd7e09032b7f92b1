"""Findings about sizes: tiny, narrow and unusual images."""

from collections import Counter
from collections.abc import Sequence

from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, about

TINY = 32  # pixels
NARROW = 3  # longer side by shorter side
UNIFORM = 0.8  # if at least this share of the images has one size, other sizes are reported


def size_findings(surveyed: Sequence[tuple[Entry, ImageFacts]]) -> list[Finding]:
    """Tiny and narrow images, and those that differ from an otherwise uniform dataset."""
    readable = [pair for pair in surveyed if not pair[1].fault]
    tiny = [_exhibit(pair) for pair in readable if min(pair[1].size) < TINY]
    narrow = [_exhibit(pair) for pair in readable if max(pair[1].size) > NARROW * min(pair[1].size)]
    return [
        *about(
            "note" if 2 * len(tiny) > len(readable) else "warning",
            f"Images smaller than {TINY} pixels",
            "They have little to learn from. Are they icons or previews?",
            tiny,
        ),
        *about(
            "warning",
            f"Images more than {NARROW} times as long as wide",
            "Training squeezes images into squares, which distorts these beyond recognition. Crop "
            "them.",
            narrow,
        ),
        *_unlike_the_others(readable),
    ]


def _unlike_the_others(readable: Sequence[tuple[Entry, ImageFacts]]) -> list[Finding]:
    for usual, count in Counter(facts.size for _, facts in readable).most_common(1):
        if count >= UNIFORM * len(readable):
            return about(
                "note",
                f"Images that are not {usual[0]} x {usual[1]}, unlike most",
                f"{count} of {len(readable)} images have this size. The others may be from another "
                "source, or cropped; training squeezes them into the same square.",
                [_exhibit(pair) for pair in readable if pair[1].size != usual],
            )
    return []


def _exhibit(pair: tuple[Entry, ImageFacts]) -> Exhibit:
    entry, facts = pair
    return Exhibit(entry.name, f"{facts.size[0]} x {facts.size[1]}", entry)
