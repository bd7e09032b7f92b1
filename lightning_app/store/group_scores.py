"""Scores of groups of images that a run has recorded, read from its tables."""

from collections.abc import Sequence
from typing import Any

from lightning_app.store.run_scores import SPLITS
from lightning_app.store.stored_run import StoredRun

GroupRow = dict[str, Any]  # of the table `groups`; see `callbacks.pictures.groups`


def split_of(record: StoredRun, name: str) -> str:
    """The split whose table of this name to show: the test, if there is one; empty for none."""
    return next((split for split in SPLITS if record.table(f"tables/{name}_{split}.json")), "")


def worse_of(rows: Sequence[GroupRow]) -> list[GroupRow]:
    """The groups for which the network is worse, the largest difference first; one of a column."""
    found: dict[str, GroupRow] = {}
    for row in sorted(rows, key=lambda row: row["accuracy"] - row["accuracy of the rest"]):
        if row["worse"]:
            found.setdefault(row["column"], row)
    return list(found.values())


def hidden_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What was said of each group that no column names."""
    return list({row["group"]: row["said"] for row in rows}.values())
