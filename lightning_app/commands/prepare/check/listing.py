"""Listing: the images that a dataset names, whatever its layout, and what readers complain of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from datamodules.complaints import Complaint, Item, Kind
from lightning_app.commands.prepare.check.findings import Entry, Exhibit, Finding, Severity


@dataclass(frozen=True)
class Listing:
    """The images of a dataset, and what is wrong with the list itself.

    Attributes:
        root: Folder that the names are relative to.
        entries: The images that training would read.
        findings: Files, rows and folders that it would refuse or leave out.
        is_split: Whether training uses these splits as they are, and splits nothing off.
    """

    root: Path
    entries: list[Entry]
    findings: list[Finding]
    is_split: bool = False


REFUSED = "Training refuses such a dataset. "
TEXTS: Mapping[Kind, tuple[Severity, str, str]] = {
    "unknown split": ("error", "Rows of an unknown split", f"{REFUSED}Correct the split."),
    "missing label": (
        "error",
        "Rows without a label",
        f"{REFUSED}Only images to predict need no label, and a test set of which no row has one.",
    ),
    "unknown label": ("error", "Rows of an unknown class", f"{REFUSED}Correct the label."),
    "several labels": (
        "error",
        "Rows with several labels",
        "Several labels per image are not supported. Keep one of them; to train on combinations as "
        "classes of their own, list all classes in --data.class_names.",
    ),
    "similar labels": (
        "warning",
        "Labels that differ only in capitals, blanks or hyphens",
        "They are classes of their own. Correct them, or set --data.options.merge_classes.",
    ),
    "label of none": (
        "warning",
        "Labels that may stand for none",
        "They are classes as the others. Delete these rows if they have no class, or list all "
        "classes in --data.class_names.",
    ),
    "many classes": (
        "warning",
        "Nearly as many labels as images",
        "The column may be an id, or a number to predict. Choose another with "
        "--data.columns.label.",
    ),
    "ambiguous image": (
        "error",
        "Images that may be one of several files",
        f"{REFUSED}Write whole paths, or name another root.",
    ),
    "interpretation": (
        "note",
        "How the table was read",
        "Names of columns and images that are not the usual ones.",
    ),
    "duplicate row": (
        "error",
        "Images that are listed twice",
        f"{REFUSED}If the rows differ in split or label, one of them is wrong.",
    ),
    "image outside root": (
        "error",
        "Images outside the root",
        f"{REFUSED}Paths and links must not leave the folder of the CSV file or of --root. Name "
        "another with --root, and with --data.root when training, or set --data.allow_outside "
        "true there.",
    ),
    "missing image": (
        "error",
        "Images that do not exist",
        f"{REFUSED}Paths are relative to the folder of the CSV file or of --root. Name another "
        "with --root, and with --data.root when training.",
    ),
    "not numbers": (
        "error",
        "Rows whose pixels are not numbers",
        f"{REFUSED}Pixels are whole numbers separated by blanks.",
    ),
    "wrong number of pixels": (
        "error",
        "Rows with a wrong number of pixels",
        f"{REFUSED}All images of a file have the same size and are square.",
    ),
    "value out of range": (
        "error",
        "Rows with a pixel out of range",
        f"{REFUSED}Pixels are numbers from 0 to 255.",
    ),
    "empty split": (
        "error",
        "Folders of splits without an image",
        f"{REFUSED}Add images, in class folders unless they are to predict, or delete the folder.",
    ),
    "empty class folder": (
        "warning",
        "Class folders without an image",
        "Training leaves them out, so that the network has no output for the class. Add images, or "
        "delete the folder.",
    ),
    "lost class": (
        "error",
        "Classes without an image that can be read",
        f"{REFUSED}All of their files are of kinds that are left out, below.",
    ),
    "unused folder": (
        "warning",
        "Folders with images that are not used",
        "They lie beside the folders of the splits, which are called train, val, test and predict. "
        "Rename or move them.",
    ),
    "unread image": (
        "warning",
        "Images of kinds that are not read",
        "They are left out. If only the ending of a name is wrong, rename the file; else save it "
        "as PNG or JPEG, or install what reads it.",
    ),
    "link": (
        "warning",
        "Links that are not followed",
        "Links to folders, and links that leave the folder of their split, are left out, unless "
        "--data.allow_outside true is set when training.",
    ),
    "image outside class folders": (
        "warning",
        "Images outside class folders",
        "They have no class or no split, and are left out. Move them into the folder of their "
        "class.",
    ),
}


def findings_of(complaints: Iterable[Complaint]) -> list[Finding]:
    """One finding for each kind of complaint.

    Other files are left to `list_folders`, which looks for images among them; unknown classes to
    `class_findings`, which counts their images.
    """
    exhibits: dict[Kind, list[Exhibit]] = {}
    refused: set[Kind] = set()
    for complaint in complaints:
        refused |= {complaint.kind} if complaint.is_error else set()
        exhibits.setdefault(complaint.kind, []).extend(map(_exhibit, complaint.items))
    found = []
    for kind in TEXTS:
        severity, title, advice = TEXTS[kind]
        if severity == "error" and kind not in refused:  # training only warns
            severity = "warning"
        if kind in exhibits:
            groups = tuple((exhibit,) for exhibit in exhibits[kind])
            found.append(Finding(severity, title, advice, groups))
    return found


def _exhibit(item: Item) -> Exhibit:
    return Exhibit(item.name, item.remark)
