"""Walk over the files below a folder; the one place that knows hidden files, links and endings."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from datamodules.sources.decode import EXTENSIONS
from datamodules.sources.file_kinds import HEIF_EXTENSIONS
from datamodules.sources.open_image import can_read_heif

WITH_HEIF = EXTENSIONS | HEIF_EXTENSIONS
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


class Listed(NamedTuple):
    """A folder of a walk.

    Attributes:
        place: Its path below the folder where the walk began, with forward slashes; empty for
            this folder itself.
        names: Its files, and its links to folders, sorted.
        links: Those of the names that are links.
    """

    place: str
    names: list[str]
    links: set[str]


def files_below(
    folder: Path, skip: Collection[Path] = (), follow_links: bool = False
) -> Iterator[Path]:
    """Files and links to folders below a folder, sorted within each folder; see `folders_below`."""
    for place, names, _ in folders_below(folder, skip, follow_links):
        yield from (Path(folder, place, name) for name in names)


def folders_below(
    folder: Path, skip: Collection[Path] = (), follow_links: bool = False
) -> Iterator[Listed]:
    """A folder and all below it, with their files.

    Hidden files and folders, and those of systems, are left out.

    Args:
        folder: Where to start, at any depth.
        skip: Folders below it that are left out with everything in them.
        follow_links: Whether to walk into links to folders, each folder once. Otherwise they are
            among the files, so that a walk always ends.
    """
    skipped = {path.resolve() for path in skip}
    seen = {folder.resolve()}
    waiting = [""]
    while waiting:
        place = waiting.pop()
        inner, names, links = _entries(Path(folder, place))
        if skipped:
            inner = [name for name in inner if Path(folder, place, name).resolve() not in skipped]
        linked = [name for name in inner if name in links]
        if follow_links:
            again = {name for name in linked if _is_above(Path(folder, place, name), folder, seen)}
            inner = [name for name in inner if name not in again]
        else:
            names += linked
            inner = [name for name in inner if name not in links]
        yield Listed(place, sorted(names), links)
        prefix = f"{place}/" if place else ""
        waiting += [f"{prefix}{name}" for name in sorted(inner, reverse=True)]


def _entries(folder: Path) -> tuple[list[str], list[str], set[str]]:
    """Names of the visible folders and files, and those of both that are links."""
    folders, files, links = [], [], set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_hidden(entry.name):
                    (folders if _is_folder(entry) else files).append(entry.name)
                    if entry.is_symlink():
                        links.add(entry.name)
    except OSError:  # a folder that cannot be read is empty, as for `os.walk`
        return [], [], set()
    return folders, files, links


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or one that a system leaves behind."""
    return name.startswith(".") or name.lower() in SYSTEM


def image_extensions() -> set[str]:
    """The endings of image files, in lower case."""
    return WITH_HEIF if can_read_heif() else EXTENSIONS


def is_image_name(name: str) -> bool:
    """Whether the name of a file ends like an image's."""
    return os.path.splitext(name)[1].lower() in image_extensions()  # noqa: PTH122


def is_image(file: Path) -> bool:
    """Whether the file name ends like an image's; links to folders are not images."""
    return is_image_name(file.name) and not (file.is_symlink() and file.is_dir())


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
