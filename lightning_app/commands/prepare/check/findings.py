"""What a check looks at and what it finds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
SPLITS = ("train", "val", "test", "predict")


@dataclass(frozen=True)
class Entry:
    """An image that the data name.

    Attributes:
        name: Path below the root, with forward slashes.
        file: Where it lies.
        split: One of `SPLITS`.
        label: Name of its class; empty where it is not known.
        group: What it is a copy of, where a manifest says so.
    """

    name: str
    file: Path
    split: str
    label: str
    group: str = ""


@dataclass(frozen=True)
class Exhibit:
    """What a finding points at: an image, another file, a row or a class.

    Attributes:
        name: Path of a file, or name of a class.
        remark: What is to be said of it.
        entry: The image, if it is one.
        sign: What it is to the one before it: `=` the same pixels, `~` nearly the same.
    """

    name: str
    remark: str = ""
    entry: Entry | None = None
    sign: Literal["", "=", "~"] = ""


@dataclass(frozen=True)
class Finding:
    """One kind of fault, with all that have it.

    Attributes:
        severity: `error` if training would fail or its scores would be wrong, `warning` if it would
            learn something else than it should, `note` for what one should know.
        title: What was found, in a few words.
        advice: What it means for training, and what to do.
        groups: Exhibits, the worst first; those of one group belong together, as copies do.
    """

    severity: Severity
    title: str
    advice: str
    groups: tuple[tuple[Exhibit, ...], ...]

    def __len__(self) -> int:
        return len(self.groups)


def about(
    severity: Severity, title: str, advice: str, exhibits: Iterable[Exhibit]
) -> list[Finding]:
    """The finding of exhibits that stand for themselves, or nothing if there are none."""
    groups = tuple((exhibit,) for exhibit in exhibits)
    return [Finding(severity, title, advice, groups)] if groups else []


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, notes last, otherwise in their order."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def class_names(entries: Iterable[Entry]) -> list[str]:
    """The classes, in alphabetical order; numbers in theirs."""
    names = {entry.label for entry in entries} - {""}
    return sorted(names, key=int if all(name.isdecimal() for name in names) else None)


def splits_of(entries: Iterable[Entry]) -> list[str]:
    """The splits that have an image, `train` first."""
    present = {entry.split for entry in entries}
    return [split for split in SPLITS if split in present]


def class_counts(entries: Sequence[Entry]) -> dict[str, dict[str, int]]:
    """Images of each class in each split; those without a label last, under an empty name."""
    splits = splits_of(entries)
    unlabelled = [""] if any(not entry.label for entry in entries) else []
    counts = {name: dict.fromkeys(splits, 0) for name in [*class_names(entries), *unlabelled]}
    for entry in entries:
        counts[entry.label][entry.split] += 1
    return counts
