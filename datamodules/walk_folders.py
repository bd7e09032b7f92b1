"""Walk over the files below a folder; the one place that knows hidden files, links and endings."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from datamodules.sources.decode import EXTENSIONS
from datamodules.sources.file_kinds import HEIF_EXTENSIONS
from datamodules.sources.open_image import can_read_heif

SYSTEM = {  # folders and files that systems leave behind, in lower case
    *("__macosx", "icon\r", "__pycache__"),  # macOS, notebooks
    *("network trash folder", "temporary items", "thevolumesettingsfolder"),  # shared by macOS
    *("$recycle.bin", "recycler", "recycled", "system volume information"),  # Windows
    *("found.000", "found.001", "found.002", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db"),
    *("desktop.ini", "picasa.ini", "zbthumbnail.info"),
    *("@eadir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@sharesnap"),  # Synology
    *("@synoresource", "@synoeastream"),
    *("@recycle", "@recently-snapshot", "@__thumb", "@upload_cache"),  # QNAP
    *("lost+found", "nohup.out"),
}


def files_below(
    folder: Path, skip: Collection[Path] = (), follow_links: bool = False
) -> Iterator[Path]:
    """Files and links to folders below a folder, sorted within each folder.

    Hidden files and folders, and those of systems, are left out.

    Args:
        folder: Where to start, at any depth.
        skip: Folders below it that are left out with everything in them.
        follow_links: Whether to walk into links to folders, each folder once. Otherwise they are
            yielded, so that a walk always ends.
    """
    skipped = {path.resolve() for path in skip}
    seen = {folder.resolve()}
    for directory, folders, files in os.walk(folder, followlinks=follow_links):
        folders[:] = sorted(
            name
            for name in folders
            if not is_hidden(name) and not (skipped and Path(directory, name).resolve() in skipped)
        )
        links = [name for name in folders if Path(directory, name).is_symlink()]
        if follow_links and links:
            again = {name for name in links if _is_above(Path(directory, name), folder, seen)}
            folders[:] = [name for name in folders if name not in again]
            links = []
        shown = [name for name in files if not is_hidden(name)]
        yield from (Path(directory, name) for name in sorted([*shown, *links]))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or one that a system leaves behind."""
    return name.startswith(".") or name.lower() in SYSTEM


def image_extensions() -> set[str]:
    """The endings of image files, in lower case."""
    return EXTENSIONS | HEIF_EXTENSIONS if can_read_heif() else EXTENSIONS


def is_image(file: Path) -> bool:
    """Whether the file name ends like an image's; links to folders are not images."""
    return file.suffix.lower() in image_extensions() and not (file.is_symlink() and file.is_dir())


def leads_outside(file: Path, folder: Path) -> bool:
    """Whether a file is a link to something outside a folder, which has to be resolved."""
    return file.is_symlink() and not file.resolve().is_relative_to(folder)


def _is_above(link: Path, folder: Path, seen: set[Path]) -> bool:
    """Whether a link leads to a folder that is walked anyway, or has been."""
    target = link.resolve()
    if target in seen or folder.resolve().is_relative_to(target):
        return True
    seen.add(target)
    return False
