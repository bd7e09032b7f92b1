"""Which images a data set names, whatever its layout."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datamodules.sources.decode import EXTENSIONS
from lightning_app.commands.prepare.check.findings import Entry, Finding


@dataclass(frozen=True)
class Listing:
    """The images of a data set, and what is wrong with the list itself.

    Attributes:
        root: Folder that the names are relative to.
        entries: The images that training would read.
        findings: Files, rows and folders that it would not.
    """

    root: Path
    entries: list[Entry]
    findings: list[Finding]


def files_below(folder: Path) -> Iterator[Path]:
    """Files and links to folders, sorted folder by folder; hidden ones and their content left out.

    Links to folders are not followed, as no datamodule follows them.
    """
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if Path(directory, name).is_symlink()]
        shown = [name for name in files if not name.startswith(".")]
        yield from (Path(directory, name) for name in sorted([*shown, *linked]))


def is_image(file: Path) -> bool:
    """Whether the ending is one that datamodules read."""
    return file.suffix.lower() in EXTENSIONS


def leaves(file: Path, folder: Path) -> bool:
    """Whether a link leads out of a folder, which has to be resolved."""
    return file.is_symlink() and not file.resolve().is_relative_to(folder)
