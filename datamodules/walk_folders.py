"""Walk over the files below a folder; the one place that knows hidden files, links and endings."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from datamodules.sources.decode import EXTENSIONS


def files_below(folder: Path, skip: Collection[Path] = ()) -> Iterator[Path]:
    """Files and links to folders below a folder, sorted within each folder.

    Hidden files and folders are left out. Links to folders are yielded but not followed, so that
    a walk always ends.

    Args:
        folder: Where to start, at any depth.
        skip: Folders below it that are left out with everything in them.
    """
    skipped = {path.resolve() for path in skip}
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not (skipped and Path(directory, name).resolve() in skipped)
        )
        links = [name for name in folders if Path(directory, name).is_symlink()]
        shown = [name for name in files if not name.startswith(".")]
        yield from (Path(directory, name) for name in sorted([*shown, *links]))


def is_image(file: Path) -> bool:
    """Whether the file name ends like an image's; links to folders are not images."""
    return file.suffix.lower() in EXTENSIONS and not (file.is_symlink() and file.is_dir())


def leads_outside(file: Path, folder: Path) -> bool:
    """Whether a file is a link to something outside a folder, which has to be resolved."""
    return file.is_symlink() and not file.resolve().is_relative_to(folder)
