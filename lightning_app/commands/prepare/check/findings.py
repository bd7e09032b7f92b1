"""Findings of a check, and the images that they are about."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from datamodules.sources.decode import decode, read_image
from datamodules.splits.names import SPLITS
from datamodules.tables.labels import classes_of

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Entry:
    """An image of the dataset.

    Attributes:
        name: Path below the root, with forward slashes; for a row of pixels `faces.csv:2`.
        file: The image file, or the CSV file with its pixels.
        split: One of `SPLITS`.
        label: Name of its class; empty if it is unknown.
        group: The original that it is a copy of, if a manifest names it.
        pixels: uint8, (H, W, 1) or (H, W, 3), if they are in a CSV file.
        encoded: Gives the bytes of the image file, if it is inside of another file.
    """

    name: str
    file: Path
    split: str
    label: str
    group: str = ""
    pixels: np.ndarray | None = field(default=None, repr=False, compare=False)
    encoded: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)

    def read(self) -> np.ndarray:
        """The image as RGB, uint8 (H, W, 3).

        Raises:
            UnreadableImageError: If the file cannot be read.
        """
        if self.encoded is not None:
            return decode(self.encoded(), 3, self.name)
        if self.pixels is None:
            return read_image(self.file, 3)
        return np.repeat(self.pixels, 3 // self.pixels.shape[2], axis=2)


@dataclass(frozen=True)
class Exhibit:
    """Something that a finding is about: an image, another file, a row or a class.

    Attributes:
        name: Path of a file, or name of an image or a class.
        remark: A comment on it.
        entry: The image, if it is one.
        sign: How it compares with the one before it: `=` same pixels, `~` nearly the same.
    """

    name: str
    remark: str = ""
    entry: Entry | None = None
    sign: Literal["", "=", "~"] = ""


@dataclass(frozen=True)
class Finding:
    """One kind of problem, with everything that has it.

    Attributes:
        severity: `error` if training would fail or its scores would be wrong, `warning` if the
            network may learn something unwanted, `note` for other things to know.
        title: What was found, in a few words.
        advice: What it means for training, and what to do.
        groups: Exhibits, the worst first; those of one group belong together, such as copies.
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
    """A finding about single exhibits; an empty list if there are none."""
    groups = tuple((exhibit,) for exhibit in exhibits)
    return [Finding(severity, title, advice, groups)] if groups else []


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, notes last; the order is kept otherwise."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def class_names(entries: Iterable[Entry]) -> list[str]:
    """The classes, in alphabetical or numerical order."""
    return classes_of(entry.label for entry in entries)


def splits_of(entries: Iterable[Entry]) -> list[str]:
    """The splits that have an image, in the order of `SPLITS`."""
    present = {entry.split for entry in entries}
    return [split for split in SPLITS if split in present]


def class_counts(entries: Sequence[Entry]) -> dict[str, dict[str, int]]:
    """Number of images of each class in each split; without a label last, under an empty name."""
    splits = splits_of(entries)
    unlabelled = [""] if any(not entry.label for entry in entries) else []
    counts = {name: dict.fromkeys(splits, 0) for name in [*class_names(entries), *unlabelled]}
    for entry in entries:
        counts[entry.label][entry.split] += 1
    return counts
