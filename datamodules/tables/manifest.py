"""Manifests: the rows of tables that list images, each with its label and split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.complaints import Complain, raise_error
from datamodules.splits.names import SPLITS
from datamodules.tables.columns import split_names
from datamodules.tables.further_columns import filled
from datamodules.tables.label_values import cleaned
from datamodules.tables.manifest_file import Layout, read_file
from datamodules.tables.table import refuse


def read_rows(files: Mapping[str, Path], layout: Layout, complain: Complain = raise_error) -> Any:
    """One row per image: image, label, split, perhaps group, further columns, and file and line.

    Args:
        files: The file of each split, or one under an empty name.
        layout: How to read them.
        complain: Called with rows that are wrong, which are then left out, and with how the files
            are read.

    Raises:
        ValueError: If a column is missing, there is no training image, or `complain` raises.
    """
    tables = [read_file(split, file, layout, complain) for split, file in files.items()]
    rows = filled(pd.concat(tables, ignore_index=True))
    rows["split"] = split_names(rows["split"])
    what = f"is not a split: expected one of {SPLITS}"
    wrong = ~rows["split"].isin(SPLITS)
    rows = refuse(rows, wrong, what, "split", "unknown split", complain)
    written = rows["label"]
    rows = cleaned(rows, layout.class_names, complain)
    tests = rows["split"] == "test"
    if bool(tests.any()) and bool((rows["label"][tests] == "").all()):
        rows["split"] = rows["split"].where(~tests, "predict")
    unlabelled = (rows["label"] == "") & (rows["split"] != "predict")
    odd = set(written[rows.index][unlabelled]) - {""}
    what = f"has no label, but {sorted(odd)[0]!r}" if odd else "has no label"
    rows = refuse(rows, unlabelled, what, "image", "missing label", complain)
    if "group" in rows:
        rows["group"] = rows["group"].where(rows["group"] != "", rows["image"])
    if "train" not in set(rows["split"]):
        raise ValueError(f"{next(iter(files.values()))} has no row of the split 'train'.")
    return rows
