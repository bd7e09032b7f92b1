"""Images of a split: the files below its folder, and what is left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from datamodules.complaints import Item, Kind
from datamodules.sources.file_kinds import image_kind
from datamodules.sources.text_array import TextArray
from datamodules.walk_folders import folders_below, is_image_name, leads_outside

LeftOut = Mapping[Kind, list[Item]]


def images_of(
    root: Path,
    folder: Path,
    skip: Sequence[Path],
    left_out: LeftOut,
    allow_outside: bool,
    is_flat: bool,
) -> TextArray:
    """Images of a split relative to its folder, sorted.

    Args:
        root: Folder that what is left out is named relative to, if it lies there.
        folder: Of the split.
        skip: Folders below it that belong to other splits.
        left_out: Gets the other files.
        allow_outside: Whether to follow links to folders, and links that lead out of the folder.
        is_flat: Whether images may lie in the folder itself.
    """
    home, names = folder.resolve(), []
    above = folder.relative_to(root) if folder.is_relative_to(root) else folder
    for place, files, links in folders_below(folder, skip, allow_outside):
        inner, prefix = f"{place}/" if place else "", (above / place).as_posix()
        prefix = "" if prefix == "." else f"{prefix}/"
        for name in files:
            file = folder / place / name if name in links or not is_image_name(name) else None
            if file is not None and (kind := _why_left(file, name in links, home, allow_outside)):
                left_out[kind[0]].append(Item(f"{prefix}{name}", kind[1]))
            elif not place and not is_flat:
                left_out["image outside class folders"].append(Item(f"{prefix}{name}"))
            else:
                names.append(f"{inner}{name}")
    return TextArray(sorted(names))


def _why_left(
    file: Path, is_link: bool, home: Path, allow_outside: bool
) -> tuple[Kind, str] | None:
    """Why a link, or a file with another ending, is left out, and a remark; None if it is not."""
    is_image = is_image_name(file.name) and not (is_link and file.is_dir())
    is_outer = is_link and (file.is_dir() or (is_image and leads_outside(file, home)))
    if is_outer and not allow_outside:
        return "link", f"to {file.readlink()}"
    if not is_image:
        kind = image_kind(file)
        return "unread image" if kind else "other file", kind
    return None
