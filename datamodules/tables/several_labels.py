"""Several labels in one field, which are not supported: found and named."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from datamodules.complaints import Complain, Complaint
from datamodules.tables.table import items_of, place_of

MARKS = (";", "|", ",", "+")
BETWEEN = (r"\s+", r"\s+(?:and|und|et|y)\s+|\s*[/&]\s*")  # between names, or within one
ADVICE = (
    "To train on each combination as a class of its own, list all classes in --data.class_names."
)


def complain_of_several(rows: Any, known: Collection[str], complain: Complain) -> Any:
    """Refuse lists and labels such as `a;b`; warn of `rust scab` and `a/b`; return the others.

    A label such as `a;b` is taken for two if each part is also found elsewhere.

    Args:
        rows: Rows with `label`, `image`, `@file` and `@line`.
        known: Classes that the user has named, which are taken as they are.
        complain: Called with the rows.

    Raises:
        ValueError: If there are such rows and `complain` raises.
    """
    labels = set(rows["label"]) - {""} - set(known)
    several = [label for label in labels if label.startswith("[") and label.endswith("]")]
    for mark in MARKS:
        several += _divided(labels, mark)
    is_several = rows["label"].isin(several)
    if is_several.any():
        advice = f"several labels per image are not supported. {ADVICE}"
        text = f"{_counted(rows, is_several)}: {advice}"
        complain(Complaint("several labels", items_of(rows[is_several], "label"), text))
        rows = rows[~is_several]
    is_joined = rows["label"].isin(_joined(labels - set(several)))
    if is_joined.any():
        text = (
            f"{_counted(rows, is_joined)}: several labels per image are not supported, and each "
            "combination is trained as a class of its own."
        )
        items = items_of(rows[is_joined], "label")
        complain(Complaint("several labels", items, text, is_error=False))
    return rows


def _counted(rows: Any, flags: Any) -> str:
    first = rows[flags].iloc[0]
    return (
        f"{first['@file']}: {int(flags.sum())} of {len(rows)} rows seem to have several labels in "
        f"one field, such as {first['label']!r} ({place_of(first).rpartition(', ')[2]})"
    )


def _divided(labels: Collection[str], mark: str) -> list[str]:
    """Labels whose parts between the marks are labels too, or parts of other labels."""
    parts = {label: _parts(label.split(mark)) for label in labels}
    return _recurring({label: found for label, found in parts.items() if found}, 1)


def _joined(labels: Collection[str]) -> list[str]:
    """Labels of several words each of which is a label of its own."""
    several = [(label, re.split(between, label.strip())) for between in BETWEEN for label in labels]
    return [label for label, parts in several if len(parts) > 1 and set(parts) <= set(labels)]


def _recurring(parts: Mapping[str, list[str]], others: int) -> list[str]:
    counts = Counter(part for found in parts.values() for part in set(found))
    return [
        label
        for label, found in parts.items()
        if len(found) > 1 and all(counts[part] > others for part in found)
    ]


def _parts(parts: list[str]) -> list[str]:
    """The parts without blanks; empty if one of them is."""
    stripped = [part.strip() for part in parts]
    return stripped if all(stripped) else []
