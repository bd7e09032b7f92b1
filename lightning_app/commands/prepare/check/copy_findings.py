"""Findings about copies of images: leaks between splits, and contradicting labels."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lightning_app.commands.prepare.check.clusters import clusters_of
from lightning_app.commands.prepare.check.facts import ImageFacts
from lightning_app.commands.prepare.check.findings import (
    Entry,
    Exhibit,
    Finding,
    Severity,
    splits_of,
)


class Kind(NamedTuple):
    """A kind of harm that copies do."""

    severity: Severity
    title: str
    advice: str


CONTRADICTION = Kind(
    "error",
    "The same image under several labels",
    "At least one of the labels is wrong, and they contradict each other in training. Keep one "
    "image of each.",
)
LEAK = Kind(
    "error",
    "The same image in several splits",
    "Training images are scored again, so that the scores are too high. Keep the copies of one "
    "split.",
)
NEAR_LEAK = Kind(
    "error",
    "Nearly the same image in several splits",
    "Scaled, compressed, brightened or mirrored copies, or photographs of one moment: the scores "
    "are too high. Keep the images of each group in one split.",
)
NEAR_CONTRADICTION = Kind(
    "warning",
    "Nearly the same image under several labels",
    "A label may be wrong, or the classes differ only in small details. Look at each.",
)
REPEAT = Kind(
    "warning",
    "The same image several times in a split",
    "It counts several times in the loss and the scores.{} Keep one of each.",
)
NEAR_REPEAT = Kind(
    "warning",
    "Nearly the same image several times in a split",
    "Such images add little and count several times.{} Keep one of each, or give them the same "
    "group in a manifest.",
)
KINDS = (CONTRADICTION, LEAK, NEAR_LEAK, NEAR_CONTRADICTION, REPEAT, NEAR_REPEAT)
SPLIT_OFF = " Training will split {} off, and the copies may then be in two splits: a leak."


def copy_findings(
    surveyed: Sequence[tuple[Entry, ImageFacts]], is_split: bool = False
) -> list[Finding]:
    """Clusters of copies, each under the worst harm that it does; the largest clusters first.

    Args:
        surveyed: The images.
        is_split: Whether training uses these splits as they are.
    """
    shown = [(entry, facts) for entry, facts in surveyed if facts.thumbnail is not None]
    if not shown:
        return []
    thumbnails = np.stack([facts.thumbnail for _, facts in shown if facts.thumbnail is not None])
    clusters = clusters_of([facts.digest for _, facts in shown], thumbnails)
    found: dict[Kind, list[tuple[Exhibit, ...]]] = {}
    for cluster in clusters:
        members = [shown[index] for index in cluster]
        if kind := _kind(members):
            found.setdefault(kind, []).append(_exhibits(members))
    scored = splits_of(entry for entry, _ in surveyed if entry.label)
    missing = [split for split in ("val", "test") if split not in scored and not is_split]
    warning = SPLIT_OFF.format(" and ".join(missing)) if missing else ""
    copied = {LEAK: _copied(surveyed)}
    return [
        Finding(
            kind.severity, kind.title, copied.get(kind, "") + kind.advice.format(warning), groups
        )
        for kind in KINDS
        if (groups := tuple(sorted(found.get(kind, ()), key=len, reverse=True)))
    ]


def _copied(surveyed: Sequence[tuple[Entry, ImageFacts]]) -> str:
    """How many images of each scored split are exact copies of training images, as sentences."""
    labels: dict[bytes, set[str]] = {}
    for entry, facts in surveyed:
        if entry.split == "train" and facts.digest:
            labels.setdefault(facts.digest, set()).add(entry.label)
    texts = ""
    for split in ("val", "test"):
        scored = [(entry, facts) for entry, facts in surveyed if entry.split == split]
        copies = [(entry, facts) for entry, facts in scored if facts.digest in labels]
        same = sum(entry.label in labels[facts.digest] for entry, facts in copies)
        if copies:
            texts += (
                f"{len(copies):,} of the {len(scored):,} {split} images are exact copies of "
                f"training images, {same:,} with the same label. "
            )
    return texts


def _kind(members: Sequence[tuple[Entry, ImageFacts]]) -> Kind | None:
    """The worst harm that copies do; None for copies that a manifest keeps together in a group."""
    same: dict[bytes, list[Entry]] = {}
    for entry, facts in members:
        same.setdefault(facts.digest, []).append(entry)
    entries = [entry for entry, _ in members]
    if any(_differ(copies, "label") for copies in same.values()):
        return CONTRADICTION
    if any(_differ(copies, "split") for copies in same.values()):
        return LEAK
    if _differ(entries, "split"):
        return NEAR_LEAK
    if _differ(entries, "label"):
        return NEAR_CONTRADICTION
    if entries[0].group and not _differ(entries, "group"):
        return None
    return REPEAT if len(same) < len(members) else NEAR_REPEAT


def _differ(entries: Sequence[Entry], attribute: str) -> bool:
    """Whether an attribute differs between images; those to predict do not count."""
    return len({getattr(e, attribute) for e in entries if e.split != "predict"} - {""}) > 1


def _exhibits(members: Sequence[tuple[Entry, ImageFacts]]) -> tuple[Exhibit, ...]:
    """The images of a cluster; those with the same pixels follow each other."""
    place: dict[bytes, int] = {}
    for _, facts in members:
        place.setdefault(facts.digest, len(place))
    ordered = sorted(members, key=lambda member: place[member[1].digest])
    first = Exhibit(ordered[0][0].name, entry=ordered[0][0])
    rest = [
        Exhibit(entry.name, entry=entry, sign="=" if facts.digest == before.digest else "~")
        for (_, before), (entry, facts) in pairwise(ordered)
    ]
    return (first, *rest)
