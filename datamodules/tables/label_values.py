"""Values of labels as people write them: numbers with a point, missing ones, lists, spellings."""

import ast
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from datamodules.complaints import Complain, Complaint, Item, raise_error
from datamodules.tables.several_labels import complain_of_several

WHOLE = re.compile(r"([+-]?\d+)(?:[.,]0*)?")
NUMBER = re.compile(r"[+-]?\d*(?:[.,]\d*)?(?:[eE][+-]?\d+)?")
NEVER_LABELS = {"nan", "NaN", "<NA>", "NaT", "#N/A", "#NA"}
NO_NUMBERS = {"NA", "N/A", "n/a", "null", "NULL", "None", "none", "-", "?"}  # among numbers
NO_CLASSES = {*NO_NUMBERS, "unknown", "Unknown", "UNKNOWN", "undefined", "unlabeled", "unlabelled"}
MANY, FEW_IMAGES = 0.5, 50  # classes per image, and images from which on that is odd
MAX_LIST = 1000  # characters of a list of labels


def cleaned(rows: Any, known: Collection[str] = (), complain: Complain = raise_error) -> Any:
    """Rows whose labels are one class each, or empty where there is none.

    If all labels are numbers, 3.0 is 3. `nan` is no class; nor is NA or None among numbers.

    Args:
        rows: Rows with `label`, `image`, `@file` and `@line`.
        known: Classes that the user has named, which are taken as they are.
        complain: Called with rows of several labels, with labels that differ only in their
            spelling, and with labels that look like ids.

    Raises:
        ValueError: If a row has several labels and `complain` raises.
    """
    labels = rows["label"].map(lambda label: label if label in known else _only_one(label))
    names = set(labels) - {""}
    words = names - NEVER_LABELS - NO_NUMBERS
    numeric = bool(words) and all(NUMBER.fullmatch(word) for word in words)
    missing = (NEVER_LABELS | (NO_NUMBERS if numeric else set())) - set(known)
    labels = labels.mask(labels.isin(missing), "")
    if words and all(WHOLE.fullmatch(word) for word in words) and not words & set(known):
        labels = labels.map(lambda label: WHOLE.sub(r"\1", label))
    rows = complain_of_several(rows.assign(label=labels), known, complain)
    _complain_of_spelling(rows, known, complain)
    _complain_of_no_classes(rows, known, complain)
    _complain_of_ids(rows, complain)
    return rows


def alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ only in capitals, blanks, hyphens or characters without width."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        plain = unicodedata.normalize("NFKC", name).casefold()
        visible = "".join(char for char in plain if unicodedata.category(char) != "Cf")
        key = name if NUMBER.fullmatch(name) else re.sub(r"[\s_\-]+", "", visible)
        groups[key].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _only_one(label: str) -> str:
    """The label in a list of one, such as `["cat"]`; the label as it is otherwise."""
    if not (label.startswith("[") and label.endswith("]")) or len(label) > MAX_LIST:
        return label
    for parse in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            values = parse(label)
            if len(values) == 1 and not isinstance(values[0], (list, dict, tuple)):
                # Python joins the strings of NumPy's ['a' 'b'], which are two labels.
                return str(values[0]) if label.count("'") + label.count('"') <= 2 else label
            return "" if not values else label
    return label


def _visible(name: str) -> str:
    """A label with what cannot be seen in it as escapes."""
    return name if all(char.isprintable() and char != "\xa0" for char in name) else repr(name)


def _complain_of_spelling(rows: Any, known: Collection[str], complain: Complain) -> None:
    counts = Counter(rows["label"][rows["label"] != ""])
    groups = [group for group in alike(counts) if not set(group) <= set(known)]
    if not groups:
        return
    listed = [
        " and ".join(f"{_visible(name)} ({counts[name]})" for name in group) for group in groups
    ]
    more = f" and {len(listed) - 3} more pairs" if len(listed) > 3 else ""
    merged = f"{{{groups[0][0]}: [{', '.join(groups[0])}]}}"
    text = (
        f"{rows['@file'].iloc[0]}: labels that differ only in capitals, blanks or hyphens are "
        f"classes of their own: {'; '.join(listed[:3])}{more}. If they mean the same, correct "
        f"them, or set --data.options.merge_classes '{merged}'."
    )
    items = tuple(Item(name, f"{counts[name]} images") for group in groups for name in group)
    complain(Complaint("similar labels", items, text, is_error=False))


def _complain_of_no_classes(rows: Any, known: Collection[str], complain: Complain) -> None:
    """Complain of classes whose name says that there is none."""
    counts = Counter(label for label in rows["label"] if label in NO_CLASSES)
    odd = [name for name in counts if name not in known]
    if odd and len(odd) < rows["label"].nunique():
        listed = ", ".join(f"{name} ({counts[name]})" for name in odd)
        text = (
            f"{rows['@file'].iloc[0]}: labels that may stand for none are classes as the others: "
            f"{listed}. If these images have no class, delete their rows; if they have, list all "
            "classes in --data.class_names."
        )
        items = tuple(Item(name, f"{counts[name]} images") for name in odd)
        complain(Complaint("label of none", items, text, is_error=False))


def _complain_of_ids(rows: Any, complain: Complain) -> None:
    labelled = rows[rows["label"] != ""]
    counts = Counter(labelled["label"])
    if len(labelled) < FEW_IMAGES or len(counts) <= MANY * len(labelled):
        return
    text = (
        f"{rows['@file'].iloc[0]} has {len(counts):,} different labels in {len(labelled):,} rows, "
        f"such as {', '.join(list(counts)[:3])}. Is this column an id or a number to predict, not "
        "a class? Choose another with --data.columns.label."
    )
    items = tuple(Item(name) for name in list(counts)[:100])
    complain(Complaint("many classes", items, text, is_error=False))
