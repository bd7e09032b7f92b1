"""Class folders, as `ImageFolderDataModule` reads them."""

from pathlib import Path

from datamodules.listing import present_folders
from datamodules.sources.decode import EXTENSIONS
from lightning_app.commands.prepare.check.facts import format_of
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, about
from lightning_app.commands.prepare.check.listing import Listing, files_below, is_image, leaves


def list_folders(root: Path) -> Listing:
    """The images of class folders below the root, or below its folders of the splits.

    Raises:
        ValueError: If there is no folder of training images, or no image in it.
    """
    folders = _split_folders(root)
    flat = {split for split in folders if _has_no_classes(split, folders[split])}
    entries: list[Entry] = []
    links, loose, others = [], [], []
    for file in files_below(root):
        split = next((key for key, folder in folders.items() if folder in file.parents), "")
        home = folders.get(split, root)
        exhibit = Exhibit(file.relative_to(root).as_posix())
        if file.is_dir() or (is_image(file) and leaves(file, home.resolve())):
            links.append(Exhibit(exhibit.name, f"to {file.readlink()}"))
        elif not is_image(file):
            others.append(Exhibit(exhibit.name, format_of(file)))
        elif not split or (file.parent == home and split not in flat):
            loose.append(exhibit)
        else:
            label = "" if split in flat else file.relative_to(home).parts[0]
            entries.append(Entry(exhibit.name, file, split, label))
    if not any(entry.split == "train" for entry in entries):
        raise ValueError(
            f"{folders['train']} has no class folder with an image in it. Expected "
            f"{folders['train']}/<class>/<image>, with one of {', '.join(sorted(EXTENSIONS))}."
        )
    return Listing(root, entries, _findings(links, loose, others, _empty(folders, entries)))


def _split_folders(root: Path) -> dict[str, Path]:
    """The folder of each split, `train` last: it may be the root, which holds the others."""
    present = present_folders(root)
    labelled = [split for split in present if not _has_no_classes(split, present[split])]
    if "train" not in present and labelled:
        name = present[labelled[0]].name
        raise ValueError(f"{root} has a folder {name}, but none called train.")
    train = present.pop("train", root)
    return present | {"train": train}


def _has_no_classes(split: str, folder: Path) -> bool:
    """Whether the images of a split have no label: they can be predicted, not scored."""
    if split == "test":
        return not any(is_image(file) and file.parent != folder for file in files_below(folder))
    return split == "predict"


def _empty(folders: dict[str, Path], entries: list[Entry]) -> list[Exhibit]:
    """Class folders of the training images without one."""
    full = {entry.label for entry in entries if entry.split == "train"}
    apart = {folder for split, folder in folders.items() if split != "train"}
    inner = {path for path in folders["train"].iterdir() if path.is_dir() and path not in apart}
    names = {path.name for path in inner if not path.is_symlink()}
    return [Exhibit(name) for name in sorted(names - full) if not name.startswith(".")]


def _findings(
    links: list[Exhibit], loose: list[Exhibit], others: list[Exhibit], empty: list[Exhibit]
) -> list[Finding]:
    missed = [exhibit for exhibit in others if exhibit.remark]
    return [
        *about(
            "warning",
            "Class folders without an image",
            "Training leaves them out: the class gets no output. Add images, or delete the folder.",
            empty,
        ),
        *about(
            "warning",
            "Links that are not followed",
            "Links to folders, and links that leave the folder of their split, are left out. Copy "
            "what they point to, if it belongs to the data.",
            links,
        ),
        *about(
            "warning",
            "Images outside class folders",
            "They have no class, or lie in no split, and are left out. Move them into the folder "
            "of their class.",
            loose,
        ),
        *about(
            "warning",
            "Images whose ending is not one of an image",
            "They are left out, as files are chosen by their endings. Rename them.",
            missed,
        ),
        *about(
            "note",
            "Other files",
            "Their endings are none of an image: they are left out.",
            [exhibit for exhibit in others if not exhibit.remark],
        ),
    ]
