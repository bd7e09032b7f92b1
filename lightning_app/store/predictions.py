"""What several runs said of the same images."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lightning_app.store.runs import quoted
from lightning_app.store.stored_run import StoredRun

Split = Literal["test", "val"]
COMMANDS: dict[Split, str] = {"test": "test", "val": "validate"}  # that store the predictions
DIGEST_LENGTH = 8


class Scored(NamedTuple):
    """The labelled images that a run was scored on: how many, and a digest of names and labels."""

    images: int
    digest: str


class Answers(NamedTuple):
    """N images that all of R runs have looked at; classes by their names.

    Attributes:
        images: Names of the images.
        labels: Their classes, (N,).
        predicted: What each run says, (R, N).
        confidence: How sure it is, (R, N) in [0, 1].
        left_out: Images that not all runs have, or not with the same label.
        scored: The images that each run looked at, shared or not.
    """

    images: list[str]
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    left_out: int
    scored: tuple[Scored, ...] = ()

    @property
    def right(self) -> Tensor:
        """Which predictions are right, (R, N)."""
        return torch.from_numpy(self.predicted == self.labels)

    @property
    def on_different_images(self) -> bool:
        """Whether a run was scored on other images, or other labels of them, than another."""
        return len({scored.digest for scored in self.scored}) > 1


def read_answers(records: Sequence[StoredRun], split: Split) -> Answers:
    """Join the predictions of runs by the names of their images.

    Raises:
        ValueError: If a run has no predictions, names an image twice, or no image is common to all.
    """
    tables = [_read(record, split) for record in records]
    common = tables[0].index
    for table in tables[1:]:
        common = common.intersection(table.index)
    same = pd.Series(True, common)
    for table in tables[1:]:
        same &= table.loc[common, "label"] == tables[0].loc[common, "label"]
    common = common[same.to_numpy()]
    if not len(common):
        names = quoted(record.run.info.run_name for record in records)
        raise ValueError(
            f"No {split} image has the same name and label in all of {names}: they were not "
            "tested on the same data."
        )
    scored = tuple(_scored(table) for table in tables)
    left_out = max(each.images for each in scored) - len(common)
    tables = [table.loc[common] for table in tables]
    return Answers(
        [str(name) for name in common],
        tables[0]["label"].to_numpy(),
        np.stack([table["predicted"].to_numpy() for table in tables]),
        np.stack([table["confidence"].to_numpy(float) for table in tables]),
        left_out,
        scored,
    )


def _read(record: StoredRun, split: Split) -> pd.DataFrame:
    """The labelled images of a run, by name."""
    file, name = f"predictions/{split}.csv", record.run.info.run_name
    content = record.content(file)
    if not content:
        raise ValueError(
            f"The run {name!r} has no {file}; `lightning_cli {COMMANDS[split]}` with its "
            "configuration and checkpoint makes it."
        )
    types: Any = {"image": str, "label": str, "predicted": str}
    table = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)
    table = table[table["label"] != ""].set_index("image")
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{file} of the run {name!r} has the image {twice} twice.")
    return table


def _scored(table: pd.DataFrame) -> Scored:
    rows = sorted(zip(table.index, table["label"], strict=True))  # their order changes no score
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    return Scored(len(rows), digest[:DIGEST_LENGTH])
