"""Complaints: what readers find wrong in a dataset, raised as an error or collected.

A datamodule stops at the first complaint that training cannot live with. `prepare check` collects
them all and reads on without what they are about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal[
    "ambiguous image",
    "duplicate row",
    "empty class folder",
    "empty split",
    "image outside class folders",
    "image outside root",
    "interpretation",
    "label of none",
    "link",
    "lost class",
    "many classes",
    "missing image",
    "missing label",
    "not numbers",
    "other file",
    "row",
    "several labels",
    "similar labels",
    "unknown class",
    "unknown label",
    "unknown split",
    "unread image",
    "unused folder",
    "value out of range",
    "wrong number of pixels",
]


class Item(NamedTuple):
    """One image, row, file or folder that a complaint is about.

    Attributes:
        name: Name of the image, file or folder.
        remark: Where it is listed, or where a link leads; may be empty.
    """

    name: str
    remark: str = ""


@dataclass(frozen=True)
class Complaint:
    """One kind of problem, with everything that has it.

    Attributes:
        kind: Which problem it is.
        items: What has the problem.
        text: The message of the error or the warning; empty for what is left out silently.
        is_error: Whether training refuses such a dataset; otherwise it ignores the items.
    """

    kind: Kind
    items: tuple[Item, ...]
    text: str = ""
    is_error: bool = True


Complain = Callable[[Complaint], None]


def raise_error(complaint: Complaint) -> None:
    """Raise a complaint as an error, or ignore it if it is not one; the default of all readers.

    Raises:
        ValueError: If training refuses such a dataset.
    """
    if complaint.is_error:
        raise ValueError(complaint.text)


def warn_or_raise(complaint: Complaint) -> None:
    """Raise a complaint as an error, or show its text: how a table is read, or a warning.

    Raises:
        ValueError: If training refuses such a dataset.
    """
    from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn  # `prepare` needs none

    raise_error(complaint)
    if complaint.text:
        say = rank_zero_info if complaint.kind == "interpretation" else rank_zero_warn
        say(complaint.text)
